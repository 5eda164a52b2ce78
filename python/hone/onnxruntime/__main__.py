"""python -m hone.onnxruntime SCRIPT [ARGS]: runs a script whose `import onnxruntime` means hone.onnxruntime."""

import sys

from hone._script import run_script

if __name__ == "__main__":
    sys.exit(run_script(sys.argv[1:], {"onnxruntime": "hone.onnxruntime"}))
