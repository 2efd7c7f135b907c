"""Archives and YAML that expand without end or lie about it, each read in a process with little memory.

Whoever expands one ends there. The process is ``python -m tests.faults.bombs NAME PATH``.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import resource
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from reproduce_lib.book.grid import load_grid
from reproduce_lib.claims import load_claims
from reproduce_lib.data.archives import expand_gzip, read_arrays, read_member
from reproduce_lib.errors import ReproduceError
from tests.faults.spoil_files import virtual_bytes
from tests.support import PROJECT

MEBIBYTE = 2**20
MOST_BYTES, MOST_SECONDS = 384 * MEBIBYTE, 10
EXPANDED = 3 * 2**30
# An odd number of bytes, whose digits are nowhere in what is compressed.
PIECE = bytes(MEBIBYTE + 12_345)
ZEROS = 512 * len(PIECE)


@dataclass(frozen=True)
class Bomb:
    """A file and how it is read; ``ends`` are those of its name."""

    ends: str
    make: Callable[[], bytes]

    def read(self, data: bytes) -> None:
        name = f"toy{self.ends}"
        if self.ends == ".npz":
            read_arrays(data, name)
        elif self.ends == ".gz":
            expand_gzip(data, name)
        elif self.ends == ".yaml":
            self.read_yaml(data)
        else:
            read_member(data, name, "toy.csv")

    def read_yaml(self, data: bytes) -> None:
        """Read a file as claims or, if it has variants, as a grid."""
        with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
            Path("toy.yaml").write_bytes(data)
            if b"variants: " in data:
                load_grid(Path("toy.yaml"))
            else:
                load_claims("toy", Path())


def yaml_of_aliases(last: str) -> bytes:
    """Return thirty levels, each ten times the one before, and a last line, in which ``*a29`` is the largest."""
    levels = [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 30)]
    return f"a0: &a0 [x, x]\n{''.join(levels)}{last}\n".encode()


def yaml_of_merges() -> bytes:
    levels = [f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 10)}]}}\n" for n in range(1, 30)]
    return f"a0: &a0 {{x: 1}}\n{''.join(levels)}".encode()


def zeros_gzipped(size: int) -> bytes:
    """Return zeros gzipped in members of 64 MiB: quickly made, and as long as one likes."""
    part = 64 * MEBIBYTE
    return gzip.compress(bytes(part), 1) * (size // part)


def tar_header(size: int, kind: bytes) -> bytes:
    member = tarfile.TarInfo("toy.csv")
    member.size, member.type = size, kind
    return member.tobuf(tarfile.GNU_FORMAT)


def tar_of_zeros(kind: bytes) -> bytes:
    return gzip.compress(tar_header(EXPANDED, kind)) + zeros_gzipped(EXPANDED)


def tar_of_many_attributes() -> bytes:
    """Return an archive whose one extended header names a million attributes."""
    records = b"".join(b"%d %07d=x\n" % (len(b"13 0000000=x\n"), number) for number in range(10**6))
    header = tar_header(len(records), tarfile.XHDTYPE) + records + bytes(-len(records) % 512)
    return gzip.compress(header + tar_header(0, tarfile.REGTYPE) + bytes(1024), 1)


def zip_of_zeros(method: int, name: str = "data.npy") -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method, compresslevel=1) as archive, archive.open(name, "w") as member:
        for _ in range(ZEROS // len(PIECE)):
            member.write(PIECE)
    return packed.getvalue()


def lying_zip(method: int) -> bytes:
    """Return a zip of zeros that announces a thousand bytes."""
    honest = zip_of_zeros(method)
    announced = ZEROS.to_bytes(4, "little")
    assert honest.count(announced) == 2, "before the directory and in it"
    return honest.replace(announced, (1000).to_bytes(4, "little"))


def array_that_claims(shape: str, kind: str) -> bytes:
    header = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}".encode()
    header += b" " * (118 - len(header)) + b"\n"
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("data.npy", b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)
    return packed.getvalue()


BOMBS = {
    "gzip": Bomb(".gz", lambda: zeros_gzipped(EXPANDED)),
    "tar": Bomb(".tar.gz", lambda: tar_of_zeros(tarfile.REGTYPE)),
    "tar, extended header": Bomb(".tar.gz", lambda: tar_of_zeros(tarfile.XHDTYPE)),
    "tar, long name": Bomb(".tar.gz", lambda: tar_of_zeros(tarfile.GNUTYPE_LONGNAME)),
    "tar, extended header not gzipped": Bomb(".tar", lambda: tar_header(16 * MEBIBYTE, b"x") + bytes(16 * MEBIBYTE)),
    "tar, many attributes": Bomb(".tar.gz", tar_of_many_attributes),
    "zip": Bomb(".npz", lambda: zip_of_zeros(zipfile.ZIP_DEFLATED)),
    "wheel": Bomb(".whl", lambda: zip_of_zeros(zipfile.ZIP_DEFLATED, "toy.csv")),
    "zip that lies": Bomb(".npz", lambda: lying_zip(zipfile.ZIP_DEFLATED)),
    "zip that lies, bzip2": Bomb(".npz", lambda: lying_zip(zipfile.ZIP_BZIP2)),
    "terabytes of numbers": Bomb(".npz", lambda: array_that_claims("(1000000000000, 3)", "<f4")),
    "terabytes of nothing": Bomb(".npz", lambda: array_that_claims("(1000000000000,)", "|S0")),
    "claims": Bomb(".yaml", lambda: yaml_of_aliases("claims: *a29")),
    "a claim's number": Bomb(".yaml", lambda: yaml_of_aliases("claims: [{kind: value, value: *a29}]")),
    "claims that are alike": Bomb(".yaml", lambda: yaml_of_aliases("? *a29\n: 1\n? *a29\n: 2")),
    "claims that are merged": Bomb(".yaml", yaml_of_merges),
    "claims within themselves": Bomb(".yaml", lambda: b"claims: &a [*a, *a]"),
    "claims of long numbers": Bomb(".yaml", lambda: b"claims: [0x" + b"f" * 10**6 + b"]"),
    "variants": Bomb(".yaml", lambda: yaml_of_aliases("variants: *a29")),
    "a variant's value": Bomb(".yaml", lambda: yaml_of_aliases("variants: [{paper: naufal2023, grid: {x: *a29}}]")),
}


def set_off(name: str) -> str:
    """Read a bomb in a process with little memory; return what that said last, and how it ended."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(BOMBS[name].make())
        file.flush()
        command = [sys.executable, "-m", "tests.faults.bombs", name, file.name]
        ran = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False, timeout=60)
    return ran.stdout.strip() or f"ended with {ran.returncode}: {ran.stderr.strip()[-200:]}"


def main(name: str, path: str) -> str:
    with open(path, "rb") as file:  # noqa: PTH123
        data = file.read()
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (virtual_bytes() + MOST_BYTES, hard))
    resource.setrlimit(resource.RLIMIT_CPU, (int(cpu_seconds()) + MOST_SECONDS, MOST_SECONDS * 10))
    try:
        BOMBS[name].read(data)
    except ReproduceError as error:
        return f"refused: {error}"
    return "read"


def cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    print(main(*sys.argv[1:]))
