"""python -m hone ...: the `hone` command."""

from hone._command import main

if __name__ == "__main__":
    main()
