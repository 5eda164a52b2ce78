"""Runs a script in which packages of Hone stand in for others."""

from __future__ import annotations

import importlib
import os
import pkgutil
import runpy
import sys
from collections.abc import Mapping, Sequence


def stand_in(name: str, package: str) -> None:
    """From now on `import name` gives `package`, and `import name.part` its modules."""
    module = importlib.import_module(package)
    sys.modules[name] = module
    for part in pkgutil.walk_packages(module.__path__, package + "."):
        if not part.name.endswith(".__main__"):
            sys.modules[name + part.name.removeprefix(package)] = importlib.import_module(part.name)


def run_script(argv: Sequence[str], stand_ins: Mapping[str, str]) -> int:
    """Runs the script argv[0] as `python argv[0] ...` does, with each name of `stand_ins` meaning its package.

    Returns 2 where there is no script; else what the script does with sys.exit() happens.
    """
    if not argv or not os.path.isfile(argv[0]):
        problem = f"there is no file '{argv[0]}'" if argv else "no script is given"
        package = " and ".join(stand_ins.values())
        print(f"{problem}; usage: python -m {package} SCRIPT [ARGS]", file=sys.stderr)
        return 2
    for name, package in stand_ins.items():
        stand_in(name, package)
    sys.argv = list(argv)
    sys.path[0] = os.path.dirname(os.path.abspath(argv[0]))
    runpy.run_path(argv[0], run_name="__main__")
    return 0
