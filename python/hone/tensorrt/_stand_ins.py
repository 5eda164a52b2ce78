"""What `import tensorrt` and others mean in a script that `python -m hone.tensorrt` runs, and in its child processes.

A temporary folder stands in sys.path behind the script's, in PYTHONPATH, and in PATH if there is no trtexec; its
modules call replace() when they are imported.
"""

import atexit
import importlib.machinery
import importlib.util
import os
import pathlib
import shlex
import shutil
import sys
import tempfile

from hone._command import executable
from hone._script import stand_in

_PREFIX = "hone-stand-ins-"
_TRTEXEC = '#!/bin/sh\nexec {command} trtexec "$@"\n'
_MODULE = """import importlib, os, sys
try:
    from hone.tensorrt._stand_ins import replace
except ImportError:  # a child of another Python
    sys.path[:] = [folder for folder in sys.path if folder != os.path.dirname(__file__)]
    del sys.modules[__name__]
    importlib.import_module(__name__)
else:
    replace(__name__)
"""


def packages() -> dict[str, str]:
    """What always means a package of ours."""
    cuda = {} if os.environ.get("HONE_PYCUDA") == "installed" else {"pycuda": "hone._pycuda", "cuda": "hone._cuda"}
    return {"tensorrt": "hone.tensorrt", **cuda}


def installed(name: str) -> importlib.machinery.ModuleSpec | None:
    """The module that would be imported without us."""
    path = [folder for folder in sys.path if not os.path.basename(folder).startswith(_PREFIX)]
    return importlib.machinery.PathFinder.find_spec(name, path)


def replace(name: str) -> None:
    """Makes sys.modules[name] our package, or the installed module where that is to be used; torch gets adapted."""
    if name in packages():
        stand_in(name, packages()[name])
    elif spec := installed(name):
        module = sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        if name == "torch":
            from . import _torch
            _torch.host_for_cuda(module)
    elif name == "onnxruntime":
        print("hone.tensorrt: onnxruntime isn't installed, hone.onnxruntime takes its place", file=sys.stderr)
        stand_in(name, "hone.onnxruntime")
    else:
        raise ModuleNotFoundError(f"No module named '{name}'", name=name)


def offer() -> None:
    """Makes the folder, and lets this process and its children look into it."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix=_PREFIX))
    owner = os.getpid()
    atexit.register(lambda: os.getpid() == owner and shutil.rmtree(folder, ignore_errors=True))
    for name in [*packages(), "onnxruntime", *(["torch"] if installed("torch") else [])]:
        (folder / f"{name}.py").write_text(_MODULE)
    sys.path.insert(1, str(folder))
    _prepend("PYTHONPATH", folder, "")
    if not shutil.which("trtexec") and (command := _command()):
        launcher = folder / "trtexec"
        launcher.write_text(_TRTEXEC.format(command=shlex.quote(command)))
        launcher.chmod(0o755)
        _prepend("PATH", folder, os.defpath)


def _command() -> str | None:
    try:
        return executable()
    except FileNotFoundError:
        return None


def _prepend(variable: str, folder: pathlib.Path, default: str) -> None:
    rest = os.environ.get(variable) or default
    os.environ[variable] = f"{folder}{os.pathsep}{rest}" if rest else str(folder)
