"""Archives read in memory: nothing is unpacked to disk, nothing in them is executed, nothing expands without end."""

from __future__ import annotations

import gzip
import io
import lzma
import math
import struct
import tarfile
import zipfile
import zlib

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from reproduce_lib.errors import DataError

# No file that is pinned expands to a tenth of it.
LARGEST_EXPANDED = 2**26
# The headers of a tar archive of a thousand files take a quarter of it.
LARGEST_HEADERS = 2**22
# zipfile expands others at once, whatever it is asked for.
_BOUNDED = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
# What the readers raise of archives that are none, or are cut or damaged.
_UNREADABLE = (
    OSError,
    EOFError,
    KeyError,
    ValueError,
    RuntimeError,  # an encrypted member; a compression that is not implemented
    struct.error,
    zlib.error,
    lzma.LZMAError,
    tarfile.TarError,
    zipfile.BadZipFile,
)
_NPY_HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}


def expand_gzip(data: bytes, name: str) -> bytes:
    """Return gzipped bytes expanded.

    Raises
    ------
    DataError
        If they are not gzipped, are cut, or expand to more than any file here.
    """
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
            expanded = file.read(LARGEST_EXPANDED + 1)
    except _UNREADABLE as error:
        raise DataError(f"{name}: not gzipped: {error}") from error
    if len(expanded) > LARGEST_EXPANDED:
        raise DataError(f"{name}: expands to more than {LARGEST_EXPANDED} bytes")
    return expanded


def read_member(data: bytes, name: str, member: str) -> bytes:
    """Return one file of a zip archive (also a wheel) or of a tar archive, gzipped or not.

    Raises
    ------
    DataError
        If the archive cannot be read, has no such file, or expands to more than any here.
    """
    try:
        if name.endswith((".whl", ".zip")):
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                return _of_zip(archive, name, [archive.getinfo(member)])[0]
        return _of_tar(expand_gzip(data, name) if name.endswith("gz") else data, member)
    except _UNREADABLE as error:
        raise DataError(f"{name} has no readable {member}: {error}") from error


def read_arrays(data: bytes, name: str) -> dict[str, NDArray[np.generic]]:
    """Return the arrays of an ``.npz``, none of which may hold objects.

    Raises
    ------
    DataError
        If it is no archive of arrays, or larger than any here.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            contents = _of_zip(archive, name, members)
        return {
            member.filename.removesuffix(".npy"): _array(content)
            for member, content in zip(members, contents, strict=True)
        }
    except _UNREADABLE as error:
        raise DataError(f"{name}: no archive of arrays: {error}") from error


def _of_zip(archive: zipfile.ZipFile, name: str, members: list[zipfile.ZipInfo]) -> list[bytes]:
    """Read members, no more of each than it announces, and all together no more than they may have."""
    if sum(member.file_size for member in members) > LARGEST_EXPANDED:
        raise DataError(f"{name}: expands to more than {LARGEST_EXPANDED} bytes")
    return [_of_member(archive, member) for member in members]


def _of_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    if member.compress_type not in _BOUNDED:
        raise ValueError(f"{member.filename} is compressed in another way than any file here")
    with archive.open(member) as file:
        return file.read(member.file_size)  # without a number, all that is there is expanded at once


class _Headers(io.BytesIO):
    """A tar archive of which no more is read than headers take: those of some kinds may be as long as they like."""

    _left = LARGEST_HEADERS

    def read(self, size: int | None = -1, /) -> bytes:
        """Return the next bytes."""
        part = super().read(min(self._left + 1, self._left + 1 if size is None or size < 0 else size))
        self._left -= len(part)
        if self._left < 0:
            raise ValueError(f"headers of more than {LARGEST_HEADERS} bytes")
        return part


def _of_tar(data: bytes, member: str) -> bytes:
    with tarfile.open(fileobj=_Headers(data), mode="r:") as archive:
        about = archive.getmember(member)
    content = data[about.offset_data : about.offset_data + about.size]
    if not about.isreg() or about.sparse is not None or len(content) != about.size:
        raise ValueError("it is no file, or cut")
    return content


def _array(data: bytes) -> NDArray[np.generic]:
    """Read one array, which has to be as long as it says: NumPy makes room for what a header says."""
    stream = io.BytesIO(data)
    version = npy.read_magic(stream)
    if version not in _NPY_HEADERS:
        raise ValueError(f"arrays of version {version}")
    try:
        shape, _, dtype = _NPY_HEADERS[version](stream)
    except MemoryError:
        raise
    except Exception as error:  # a header is read by Python's parser, which raises what it likes
        raise ValueError(f"a header that is none: {error!r}") from error
    if dtype.hasobject:
        raise ValueError("an array of objects, which could hold code")
    if not dtype.itemsize or math.prod(shape) * dtype.itemsize != len(data) - stream.tell():
        raise ValueError(f"an array of shape {shape} in {len(data)} bytes")
    array: NDArray[np.generic] = np.load(io.BytesIO(data), allow_pickle=False)
    return array
