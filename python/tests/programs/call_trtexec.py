"""Builds and times by trtexec, reads the numbers out of its report and out of the exported times.

    call_trtexec.py MODEL.onnx FOLDER [SHAPES]
"""

import json
import os
import re
import statistics
import subprocess
import sys


def trtexec(*options):
    command = [os.environ.get("TRTEXEC", "trtexec"), *options]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    print(done.stdout)
    if done.returncode != 0 or "&&&& PASSED" not in done.stdout:
        raise RuntimeError("trtexec failed with %d" % done.returncode)
    return done.stdout


def find(pattern, text):
    match = re.search(pattern, text)
    assert match, pattern
    return tuple(float(group) for group in match.groups())


def summary(text):
    numbers = {"throughput": find(r"Throughput: ([\d.]+) qps", text)[0]}
    line = (
        r"%s: min = ([\d.]+) ms, max = ([\d.]+) ms, mean = ([\d.]+) ms, median = ([\d.]+) ms, "
        r"percentile\(90%%\) = ([\d.]+) ms, percentile\(95%%\) = ([\d.]+) ms, percentile\(99%%\) = ([\d.]+) ms"
    )
    for field in ("Latency", "Enqueue Time", "H2D Latency", "GPU Compute Time", "D2H Latency"):
        values = find(line % (r"\] " + field), text)
        numbers[field] = dict(zip(("min", "max", "mean", "median", "p90", "p95", "p99"), values))
        assert values[0] <= values[3] <= values[4] <= values[5] <= values[6] <= values[1], (field, values)
    numbers["walltime"] = find(r"Total Host Walltime: ([\d.]+) s", text)[0]
    numbers["compute"] = find(r"Total GPU Compute Time: ([\d.]+) s", text)[0]
    return numbers


def main(model, folder, shapes=None):
    engine = os.path.join(folder, "by_trtexec.engine")
    times = os.path.join(folder, "times.json")
    options = []
    if shapes:
        options = ["--minShapes=" + shapes, "--optShapes=" + shapes, "--maxShapes=" + shapes]
    text = trtexec("--onnx=" + model, "--saveEngine=" + engine, "--workspace=256", "--explicitBatch", "--fp16",
                   "--iterations=3", "--warmUp=10", "--duration=0", *options)
    assert re.search(r"=== Model Options ===", text) and re.search(r"=== Performance summary ===", text)
    assert re.search(r"Engine built in [\d.]+ sec", text)

    shapes_option = ["--shapes=" + shapes] if shapes else []
    text = trtexec("--loadEngine=" + engine, "--exportTimes=" + times, "--iterations=10", "--warmUp=10",
                   "--duration=0", "--dumpProfile", *shapes_option)
    numbers = summary(text)
    print(json.dumps(numbers))

    with open(times) as f:
        runs = json.load(f)
    assert len(runs) >= 10, len(runs)
    for run in runs:
        assert run["startComputeMs"] <= run["endComputeMs"] and run["startEnqMs"] <= run["endEnqMs"]
        assert abs(run["endComputeMs"] - run["startComputeMs"] - run["computeMs"]) < 0.01
        assert run["latencyMs"] >= run["computeMs"] - 0.001 and run["h2dMs"] >= 0 and run["d2hMs"] >= 0
    mean = statistics.mean(run["computeMs"] for run in runs)
    print("mean compute %.3f ms from %d runs; mean latency %.3f ms" % (
        mean, len(runs), statistics.mean(run["latencyMs"] for run in runs)))
    assert numbers["GPU Compute Time"]["min"] - 0.01 <= mean <= numbers["GPU Compute Time"]["max"] + 0.01


main(*sys.argv[1:])
