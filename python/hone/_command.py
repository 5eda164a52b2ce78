"""The `hone` command of the package: runs the bundled executable."""

from __future__ import annotations

import os
import pathlib
import sys


def executable() -> str:
    """The path of the executable. Raises FileNotFoundError where the package was built without it."""
    path = pathlib.Path(__file__).parent / "bin" / "hone"
    if not path.is_file():
        raise FileNotFoundError(f"the hone command isn't at {path}; build it (make, or pip install .)")
    return str(path)


def main() -> None:
    """Becomes the executable, with this process' arguments."""
    path = executable()
    os.execv(path, [path, *sys.argv[1:]])
