#!/usr/bin/env python3
"""Checks who includes whom: the table below is the rule, `make test` runs it.

usage: check_includes.py [ROOT]
"""
import pathlib
import re
import sys

# folder -> what it may include beside itself and include/hone.
ALLOWED = {
    "include/hone": [],
    "src/base": [],
    "src/ops": ["src/base"],
    "src/graph": ["src/base", "src/ops"],
    "src/onnx": ["src/base", "src/ops", "src/graph"],
    "src/passes": ["src/base", "src/ops", "src/graph"],
    "src/plan": ["src/base", "src/ops"],
    "src/backend": ["src/base", "src/ops"],
    "src/backends/reference": ["src/base", "src/ops", "src/backend"],
    "src/backends/cpu": ["src/base", "src/ops", "src/backend"],
    "src/compiler": ["src/base", "src/ops", "src/graph", "src/passes", "src/plan", "src/backend"],
    "src/runtime": ["src/base", "src/ops", "src/plan", "src/backend"],
    "src/api/engine": ["src/runtime", "src/plan", "src/backend", "src/backends/reference", "src/backends/cpu",
                       "src/base", "src/ops"],
    "src/api/build": ["src"],
    "pipelines/common": [],
    "pipelines/yolo": ["pipelines/common"],
    "tools": ["pipelines"],
    "python": ["pipelines"],
    "tests": ["src", "pipelines", "tools"],
    "bench": ["src", "pipelines", "tools", "tests"],
}

# Headers of other projects -> the only folders that may name them.
ONLY_IN = {
    r"(cuda|cudnn|cublas|nvrtc)\w*(_runtime)?\.h|(cuda|cudnn|cublas)/.*": ["src/backends/cuda"],
    r"(oneapi/)?dnnl.*": ["src/backends/cpu"],
    r"protozero/.*": ["src/onnx"],
    r"omp\.h": ["src/base"],
    r"CLI/.*": ["tools"],
    r"(jpeglib|jerror|png)\.h": ["pipelines/common"],
    r"zlib\.h": ["tools", "pipelines/common"],
    r"Python\.h|(nanobind|numpy)/.*": ["python"],
}

INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]', re.M)
SUFFIXES = {".h", ".cpp", ".cu", ".cuh", ".inl"}
ROOTS = ("include", "src", "pipelines", "tools", "python", "tests", "bench")


def inside(path, folder):
    return path == folder or path.startswith(folder + "/")


def folder_of(path):
    """The longest folder of the table that `path` lies in."""
    return max((folder for folder in ALLOWED if inside(path, folder)), key=len, default=None)


def target_of(root, source, name):
    """The file that a quoted include means, relative to the root; None for files of nobody."""
    for base in (root / "include", root / "src", root, root / "tests", source.parent):
        if (base / name).is_file():
            return (base / name).resolve().relative_to(root).as_posix()
    return None


def problems_of(root, source):
    path = source.relative_to(root).as_posix()
    folder = folder_of(path)
    if folder is None:
        yield f"{path}: its folder isn't in the table of {pathlib.Path(__file__).name}"
        return
    is_test = source.stem.endswith("_test")
    for quote, name in INCLUDE.findall(source.read_text(encoding="utf-8")):
        for pattern, owners in ONLY_IN.items():
            if re.fullmatch(pattern, name) and not any(inside(path, owner) for owner in owners):
                yield f"{path}: <{name}> may be included below {', '.join(owners)} only"
        if quote == "<":
            continue
        target = target_of(root, source, name)
        if target is None:
            yield f'{path}: there is no file for "{name}"'
            continue
        allowed = ["include/hone", folder, *ALLOWED[folder]]
        if is_test:
            allowed += ALLOWED["tests"] + ["tests"]
        if not any(inside(target, one) for one in allowed):
            yield f"{path}: {folder} may not include {target}"


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent.parent).resolve()
    sources = sorted(p for top in ROOTS for p in (root / top).rglob("*") if p.suffix in SUFFIXES)
    problems = [problem for source in sources for problem in problems_of(root, source)]
    for problem in problems:
        print(problem)
    print(f"{len(sources)} files, {len(problems)} forbidden includes")
    return 1 if problems or not sources else 0


if __name__ == "__main__":
    sys.exit(main())
