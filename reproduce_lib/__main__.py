"""``python -m reproduce_lib`` is the command ``reproduce``."""

from reproduce_lib.cli import app

app(prog_name="reproduce")
