"""The `start` verb: prints one address, leaves its files, and the socket is there."""
import hashlib
import os
import stat

from bed import run, ttrpc


def test_prints_the_address_only(created, host):
    item = created(["true"])
    name = hashlib.sha256(f"{host.address}/{host.namespace}/{item.id}".encode()).hexdigest()
    assert item.address == f"unix:///run/containerd/s/{name}"
    assert (item.folder / "address").read_text() == item.address
    mode = os.stat(item.address.removeprefix("unix://")).st_mode
    assert stat.S_ISSOCK(mode) and stat.S_IMODE(mode) & 0o077 == 0


def test_second_start_gives_the_same_address(created, host):
    item = created(["true"])
    assert host.start(item.id, item.folder) == item.address


def test_stale_socket_is_replaced(created, host):
    id, folder = host.bundle(["true"])
    name = hashlib.sha256(f"{host.address}/{host.namespace}/{id}".encode()).hexdigest()
    os.makedirs("/run/containerd/s", exist_ok=True)
    stale = ttrpc.socket.socket(ttrpc.socket.AF_UNIX)
    stale.bind(f"/run/containerd/s/{name}")
    stale.close()  # a file with nobody behind it
    with host.connect(id, folder) as task:
        task.call("Connect", id=id)
        task.code("Shutdown", id=id)
    host.delete(id, folder)


def test_missing_namespace_is_refused(host):
    id, folder = host.bundle(["true"])
    result = run.run([host.binary, "-address", host.address, "-id", id, "start"], cwd=folder, timeout=20,
                     env=host.environment())
    assert result.code not in (0, None)


def test_quick(created, host):
    id, folder = host.bundle(["true"])
    result = host.verb(id, folder, "start").ok()
    assert result.seconds < 2
    with_task = ttrpc.Client(result.out.strip())
    with_task.call("containerd.task.v2.Task", "Shutdown", b"\x0a" + bytes([len(id)]) + id.encode())
    with_task.close()
    host.delete(id, folder)
