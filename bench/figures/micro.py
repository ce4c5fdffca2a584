"""Micro benchmarks of the C++ modules (target kata_bench, Google Benchmark)."""
import json

from bed import places, run

from harness.figure import Figure

NAME = "micro"
TITLE = "Micro benchmarks"


def _program():
    run.run([places.REPO / "scripts" / "build.sh", "release", "kata_bench"], timeout=1800).ok()
    return places.bin_dir() / "kata_bench"


def measure(bench):
    repeats = bench.count(10, 3)
    # The time is a number here: a suffix is not understood by every version of the library.
    argv = [_program(), "--benchmark_format=json", f"--benchmark_repetitions={repeats}",
            f"--benchmark_min_time={bench.count(0.5, 0.05)}"]
    found = {}
    for row in json.loads(run.run(argv, 900).ok().out)["benchmarks"]:
        if row.get("run_type") != "iteration":
            continue
        assert not row.get("error_occurred"), row
        rate = row.get("bytes_per_second")
        key = (row["run_name"], "MiB/s" if rate else f"{row['time_unit']} CPU")
        found.setdefault(key, []).append(rate / (1 << 20) if rate else row["cpu_time"])
    assert found, "no benchmark ran"
    return [Figure(name, unit, f"{repeats} repetitions", values, better="more" if unit == "MiB/s" else "less")
            for (name, unit), values in found.items()]
