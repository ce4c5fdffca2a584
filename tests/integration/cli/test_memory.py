"""kata-runtime memory: the parts of a sandbox's memory add up, and say what its RuntimeClass needs."""
import json
import os
import pathlib
import socket
import threading

import pytest

from bed import containerd as cd
from bed import places, run, wire
from bed import task as tasks

PRIMARY_ONLY = True
MIB = 1 << 20

if cd.kata_runtime() == cd.RUNC:
    pytest.skip("runc has no guest", allow_module_level=True)


@pytest.fixture(scope="module")
def eater(containerd):
    """A container that holds 40 MiB in a tmpfs."""
    id = containerd.new_id()
    script = ("dd if=/dev/zero of=/dev/shm/x bs=1M count=40 2>/dev/null; "
              "echo ready > /dev/shm/ready; exec sleep 1000")
    containerd.start_detached("sh", "-c", script, id=id)
    run.wait_until(lambda: containerd.exec(id, "cat", "/dev/shm/ready").code == 0, 60, "the container has eaten")
    yield id
    containerd.remove(id)


def test_parts_add_up(kata, containerd, eater):
    report = json.loads(kata("memory", "--json", eater).ok().out)
    guest, container = report["guest"], report["containers"][0]
    assert report["sandbox"] == container["id"] == eater and len(report["containers"]) == 1
    assert guest["vm"] == 256 * MIB
    parts = sum(guest[part] for part in ("kernel", "page_cache", "tmpfs", "agent", "other_processes", "free"))
    assert abs(parts + container["anonymous"] + container["shared"] - guest["vm"]) < 4 * MIB, report
    assert 40 * MIB <= container["shared"] < 45 * MIB, report
    assert guest["page_cache"] > 0 and 5 * MIB < guest["kernel"] < 80 * MIB
    assert 0 < guest["agent"] < 16 * MIB and 0 < container["anonymous"] < 16 * MIB
    host = report["host"]
    with tasks.Task(containerd.shim_socket(eater)) as task:
        shim = wire.first(task.call("Connect", id=eater), 1)
    rollup = dict(line.split()[:2] for line in pathlib.Path(f"/proc/{shim}/smaps_rollup").read_text().splitlines()[1:])
    assert abs(host["shim"] - int(rollup["Pss:"]) * 1024) < 6 * MIB, (host, rollup)
    assert host["vmm"] > 10 * MIB and host["fs_daemon"] > 0
    # The host holds what the guest has touched.
    assert guest["vm"] - guest["free"] - 20 * MIB < host["guest_memory"] <= guest["vm"] + MIB
    overhead = report["overhead"]
    assert overhead["measured"] < overhead["suggested"] <= overhead["measured"] * 9 / 8 + 16 * MIB
    assert overhead["suggested"] % (16 * MIB) == 0


def test_text(kata, eater):
    text = kata("memory", eater[:-1]).ok().out
    for words in (f"sandbox {eater}", "guest kernel", "page cache", "agent", f"container {eater[:12]}", "file-system daemon",
                  "suggested overhead.podFixed.memory of the RuntimeClass: "):
        assert words in text, text


def test_slips(kata):
    for words, needle in ((["no-such-sandbox"], "no sandbox"), (["../x"], "not a sandbox id"), ([], "SANDBOX")):
        result = kata("memory", *words)
        assert result.code == 1 and needle in result.err, result.describe()


def test_only_root(eater):
    program = places.bin_dir() / "kata-runtime"
    result = run.run(["setpriv", "--reuid=65534", "--clear-groups", program, "memory", eater])
    assert os.geteuid() != 0 or (result.code == 1 and "root" in result.err), result.describe()


def test_a_shim_that_does_not_tell(kata):
    """Upstream's shims have no such page."""
    folder = pathlib.Path("/run/vc/sbs/memory-test-foreign")
    folder.mkdir(parents=True)
    try:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(folder / "shim-monitor.sock"))
            listener.listen()

            def answer():
                for status in (b"200 OK", b"404 Not Found"):
                    peer, _ = listener.accept()
                    with peer:
                        peer.recv(4096)
                        peer.sendall(b"HTTP/1.0 " + status + b"\r\nContent-Length: 3\r\n\r\n# \n")

            server = threading.Thread(target=answer)
            server.start()
            result = kata("memory", folder.name)
            server.join(30)
        assert result.code == 1 and "does not tell whose memory is whose" in result.err, result.describe()
    finally:
        (folder / "shim-monitor.sock").unlink(missing_ok=True)
        folder.rmdir()
