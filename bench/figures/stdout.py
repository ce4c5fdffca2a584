"""Output of a container to ctr: throughput, and whether every byte arrives."""
import hashlib
import os
import subprocess
import time

from bed import containerd as cd
from bed import run

from harness import bench as harness
from harness.figure import MIB, Figure

NAME = "stdout"
TITLE = "Output throughput"


def _read_all(daemon, runtime, script):
    """(bytes, seconds from first to last byte) of a container's output."""
    argv = daemon.run_argv("sh", "-c", script, runtime=runtime, flags=["--rm"], ref=harness.IMAGE,
                           id=daemon.new_id("out"))
    process = subprocess.Popen([str(word) for word in daemon.ctr_argv(*argv)], stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=daemon.environment(),
                               preexec_fn=run._follow_parent)
    try:
        began, chunks = None, []
        while chunk := os.read(process.stdout.fileno(), 1 << 20):
            began = began or time.monotonic()
            chunks.append(chunk)
        ended = time.monotonic()
        error = process.communicate(timeout=60)[1].decode(errors="replace")
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0, f"exit {process.returncode}: {error[-2000:]}"
    return b"".join(chunks), ended - began


def _series(bench, runtime, script, expected, count):
    """MiB/s of each run; a wrong byte is a failed measurement."""
    wanted, rates = hashlib.sha256(expected).digest(), []
    for _ in range(count):
        data, seconds = _read_all(bench.daemon, runtime, script)
        assert hashlib.sha256(data).digest() == wanted, f"{len(data)} of {len(expected)} bytes or wrong ones"
        rates.append(len(data) / MIB / seconds)
    return rates


def measure(bench):
    size = bench.count(256, 64) << 20
    blocks, copies = size >> 20, size // harness.PATTERN_SIZE
    zeros = f"dd if=/dev/zero bs=1M count={blocks} 2>/dev/null"
    pattern = f"i=0; while [ $i -lt {copies} ]; do cat /pattern; i=$((i+1)); done"
    count, kata = bench.count(7, 2), cd.kata_runtime()
    how = f"{blocks} MiB from `%s` to ctr's output, first byte to last; SHA-256 checked"
    rows = [
        Figure("stdout, zeros", "MiB/s", how % "dd if=/dev/zero bs=1M",
               _series(bench, kata, zeros, bytes(size), count), bench.where, limit=100, better="more"),
        Figure("stdout, pattern", "MiB/s", how % "cat of an 8 MiB random file, repeated",
               _series(bench, kata, pattern, harness.pattern() * copies, count), bench.where, limit=100, better="more"),
        Figure("stdout, zeros, runc", "MiB/s", how % "dd if=/dev/zero bs=1M" + ": what ctr takes at most",
               _series(bench, cd.RUNC, zeros, bytes(size), count), better="more"),
    ]
    return rows
