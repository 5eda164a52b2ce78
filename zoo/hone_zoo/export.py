"""Writes a detector as ONNX: python -m hone_zoo.export yolov7|dsvt ..."""

import argparse
import importlib
import sys

MODELS = ("yolov7", "dsvt")


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; each model's options are in its own hone_zoo/MODEL/export.py."""
    arguments = sys.argv[1:] if arguments is None else arguments
    parser = argparse.ArgumentParser(prog="python -m hone_zoo.export", description=__doc__, add_help=False)
    parser.add_argument("model", choices=MODELS, help="MODEL --help tells its options")
    if not arguments or arguments[0] not in MODELS:
        parser.parse_args(arguments[:1])
    module = importlib.import_module(f"hone_zoo.{arguments[0]}.export")
    parser = argparse.ArgumentParser(
        prog=f"python -m hone_zoo.export {arguments[0]}",
        description=module.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    module.add_arguments(parser)
    try:
        module.main(parser.parse_args(arguments[1:]))
    except (OSError, ValueError, RuntimeError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
