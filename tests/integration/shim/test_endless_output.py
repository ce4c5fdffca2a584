"""Output that nobody reads costs the host a bounded amount of memory (CVE-2022-31030)."""
import pathlib
import time

from bed import fifo, wire

ROOM = 16 << 10  # KiB: a few chunks of output and what the allocator keeps


def resident(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(text.split("VmRSS:")[1].split()[0])


def test_memory_of_the_shim_is_bounded(created, tmp_path):
    out = fifo.Output(tmp_path / "out")
    try:
        item = created(["sh", "-c", "cat /dev/zero"])
        item.create(stdout=out.path)
        shim = wire.first(item.task.call("Connect", id=item.id), 1)
        before = resident(shim)
        item.task.start(item.id)
        time.sleep(5)
        assert resident(shim) < before + ROOM
        item.task.kill(item.id, 9)
        assert item.task.wait(item.id) == 137
    finally:
        out.close()
