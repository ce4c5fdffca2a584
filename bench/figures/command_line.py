"""CPU time of the commands that scripts and operators call most."""
from bed import kata_config, places

from harness.figure import Figure
from harness.raw_shim import run_measured

NAME = "command-line"
TITLE = "kata-runtime check and env"


def measure(bench):
    program = places.bin_dir() / "kata-runtime"
    config = kata_config.write(bench.work / "command-line.toml")
    count, figures = bench.count(30, 5), []
    for name in ("check", "env"):
        argv = [program, "--config", config, name]
        run_measured(argv, bench.work, {})
        runs = [run_measured(argv, bench.work, {}) for _ in range(count)]
        how = f"`kata-runtime {name}` with a configuration, until it exited"
        figures += [
            Figure(f"{name}, CPU", "ms", how + "; wait4's user and system time, the children's included",
                   [cpu * 1e3 for _, cpu, _out in runs], limit=50),
            Figure(f"{name}, wall", "ms", how, [wall * 1e3 for wall, _, _out in runs]),
        ]
    return figures
