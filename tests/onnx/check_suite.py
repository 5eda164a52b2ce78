#!/usr/bin/env python3
"""Runs ONNX's backend cases through `hone test` and checks what must hold of the result.

Every case that uses only the operators of operators.txt passes or is named in skip.txt with a reason, and at least
--min-passed of them pass. Cases with other operators may be unsupported but must not fail.
usage: check_suite.py HONE [--min-passed N]
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys

import onnx

HERE = pathlib.Path(__file__).parent


def nodes(graph):
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            for inner in [attribute.g, *attribute.graphs]:
                yield from nodes(inner)


def operators(folder):
    model = onnx.load(os.path.join(folder, "model.onnx"), load_external_data=False)
    used = {node.op_type for node in nodes(model.graph)}
    for function in model.functions:
        used |= {node.op_type for node in function.node}
    return used - {function.name for function in model.functions}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("hone")
    parser.add_argument("--min-passed", type=int, default=750)
    arguments = parser.parse_args()
    data = pathlib.Path(onnx.__file__).parent / "backend/test/data"
    command = [arguments.hone, "test", str(data), "--skip-list", str(HERE / "skip.txt"), "--json"]
    run = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    result = json.loads(run.stdout)
    known = set((HERE / "operators.txt").read_text().split())
    ours = [case for case in result["cases"] if operators(case["folder"]) <= known]
    passed = sum(case["outcome"] == "passed" for case in ours)
    problems = [f"{case['name']}: {case['detail']}" for case in result["cases"] if case["outcome"] == "failed"]
    problems += [
        f"{case['name']} uses known operators only, doesn't pass and isn't in skip.txt: {case['detail']}"
        for case in ours
        if case["outcome"] == "unsupported" and not case["detail"].startswith("skipped: ")
    ]
    if passed < arguments.min_passed:
        problems.append(f"only {passed} cases of known operators pass, {arguments.min_passed} are wanted")
    for problem in problems:
        print(problem)
    print(f"onnx {onnx.__version__} backend cases: {result['passed']} passed, {result['failed']} failed, "
          f"{result['unsupported']} unsupported; of the {len(ours)} that use known operators only {passed} pass")
    return 1 if problems or run.returncode not in (0, 4) else 0


if __name__ == "__main__":
    sys.exit(main())
