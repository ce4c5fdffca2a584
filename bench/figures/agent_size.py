"""The agent: size of its binary, its memory in the guest, and what the guest uses once it runs."""
import struct

from bed import places

from harness import agent
from harness.figure import MIB, Figure

NAME = "agent"
TITLE = "Agent and guest memory"

_SHT_SYMTAB, _PT_INTERP = 2, 3


def _traits(path):
    """What is wrong with the binary as a shipped one: ELF64 headers say it."""
    data = path.read_bytes()
    phoff, shoff = struct.unpack_from("<QQ", data, 32)
    phsize, phcount, shsize, shcount = struct.unpack_from("<4H", data, 54)
    segments = {struct.unpack_from("<I", data, phoff + i * phsize)[0] for i in range(phcount)}
    sections = {struct.unpack_from("<I", data, shoff + i * shsize + 4)[0] for i in range(shcount)}
    wrong = ["dynamic"] * (_PT_INTERP in segments) + ["not stripped"] * (_SHT_SYMTAB in sections)
    return ", ".join(wrong)


def _memory(bench):
    """(agent's Rss, total - free, total - available), each a list of bytes."""
    rows = ([], [], [])
    for _ in range(bench.count(5, 2)):
        with bench.sandbox() as sandbox:
            found = agent.metrics(sandbox.id)
        total, free, available = (found["kata_guest_meminfo", key]
                                  for key in ("mem_total", "mem_free", "mem_available"))
        for row, value in zip(rows, (found["kata_agent_total_rss", ""], total - free, total - available)):
            row.append(value)
    return ([value / MIB for value in row] for row in rows)


def measure(bench):
    binary = places.agent()
    rss, used, unavailable = _memory(bench)
    meminfo = "the agent's GetMetrics right after the start of one container, 256 MiB guest: MemTotal - "
    return [
        Figure("agent binary", "MiB", "size of the file", [binary.stat().st_size / MIB], limit=3,
               note=_traits(binary)),
        Figure("agent RSS", "MiB", "the agent's GetMetrics, one idle container (the kernel's batched counter)",
               rss, bench.where, limit=3),
        Figure("guest memory used", "MiB", meminfo + "MemFree (page cache of the container included)", used,
               bench.where, limit=20),
        Figure("guest memory not available", "MiB", meminfo + "MemAvailable", unavailable, bench.where),
    ]
