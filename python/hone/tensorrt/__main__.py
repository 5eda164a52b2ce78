"""python -m hone.tensorrt script.py [args]: runs a script written for TensorRT, pycuda and onnxruntime."""

import sys

from hone._script import run_script
from hone.tensorrt import _stand_ins

USAGE = """usage: python -m hone.tensorrt SCRIPT [ARGUMENT...]

Runs SCRIPT as python does, but `import tensorrt` gives hone.tensorrt. `import pycuda` and `import cuda` (cuda-python)
give stand-ins on host memory, since engines run on the CPU (HONE_PYCUDA=installed: the installed ones). Where
onnxruntime isn't installed, hone.onnxruntime takes its place; where trtexec isn't found, `hone trtexec` does. Where
torch has no GPU, its device "cuda" means host memory. Python processes that the script starts see the same.
HONE_TENSORRT_GENERATION=7..11 chooses the generation of engines that don't know theirs."""


def main() -> int:
    if len(sys.argv) < 2 or sys.argv[1] in ("-h", "--help"):
        print(USAGE, file=sys.stdout if len(sys.argv) > 1 else sys.stderr)
        return 0 if len(sys.argv) > 1 else 2
    _stand_ins.offer()
    return run_script(sys.argv[1:], {"tensorrt": "hone.tensorrt"})


if __name__ == "__main__":
    sys.exit(main())
