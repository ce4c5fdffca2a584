"""Cold start of a container against the bare boot of the same kernel in the same VMM."""
import json
import os
import pathlib
import subprocess
import time

from bed import containerd as cd
from bed import run

from harness import bench as harness
from harness.bare_boot import BareBoot
from harness.figure import Figure, bootstrap

NAME = "cold-start"
TITLE = "Cold start"

_PHASE_LOG = pathlib.Path("/run/kata-containers/phases.jsonl")


def first_byte(daemon, runtime=None):
    """(seconds from the start of `ctr run` to its first byte of output, id of the container)."""
    id = daemon.new_id("cold")
    argv = daemon.run_argv("/bin/first", runtime=runtime, flags=["--rm"], ref=harness.IMAGE, id=id)
    began = time.monotonic()
    process = subprocess.Popen([str(word) for word in daemon.ctr_argv(*argv)], stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=daemon.environment(),
                               preexec_fn=run._follow_parent)
    try:
        byte = os.read(process.stdout.fileno(), 1)
        seconds = time.monotonic() - began
        error = process.communicate(timeout=60)[1].decode(errors="replace")
    finally:
        process.kill()
        process.wait()
    assert byte == b"1" and process.returncode == 0, f"exit {process.returncode}: {error[-2000:]}"
    return seconds, id


def _phases(ids):
    """{phase: [ms]} of these sandboxes from the node's phase log."""
    found = {}
    for path in (_PHASE_LOG.with_suffix(".jsonl.1"), _PHASE_LOG):
        for line in path.read_text().splitlines() if path.exists() else ():
            record = json.loads(line)
            if record["sandbox"] in ids:
                for phase in record["phases"]:
                    found.setdefault(phase["name"], []).append(phase["ms"])
    return found


def _pairs(bench, bare):
    """Interleaved A-B-A-B, after one warm-up of each."""
    first_byte(bench.daemon)
    bare.seconds()
    cold, boots, ids = [], [], []
    for _ in range(bench.count(15, 3)):
        seconds, id = first_byte(bench.daemon)
        cold.append(seconds)
        ids.append(id)
        boots.append(bare.seconds())
    return cold, boots, ids


def measure(bench):
    with bench.sandbox() as sandbox:
        vmm = sandbox.vmm()
        assert vmm, "this runtime starts no VM"
        bare = BareBoot(vmm, harness.probe_initrd(bench.work))
    cold, boots, ids = _pairs(bench, bare)
    overhead = [(a / b - 1) * 100 for a, b in zip(cold, boots)]
    runc = [first_byte(bench.daemon, cd.RUNC)[0] for _ in range(bench.count(10, 3))]
    how = "`ctr run` to its first byte of output"
    figures = [
        Figure("cold start", "ms", how, [s * 1e3 for s in cold], bench.where),
        Figure("bare boot", "ms", "QEMU with the same arguments but the links to the shim, boot probe as init: "
               "exec to its first line, interleaved with the cold starts", [s * 1e3 for s in boots], bench.where),
        Figure("cold start over bare boot", "%", "(cold start / bare boot of the same pair) - 1", overhead,
               bench.where, limit=25, interval=bootstrap(overhead)),
        Figure("cold start with runc", "ms", how + ", no VM: what ctr, containerd and the snapshotter cost",
               [s * 1e3 for s in runc]),
    ]
    figures += [Figure(f"phase {name}", "ms", "phase record of the same cold starts", values, bench.where)
                for name, values in _phases(set(ids)).items()]
    return figures
