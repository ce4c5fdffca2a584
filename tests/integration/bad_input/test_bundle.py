"""Broken bundles and specs straight to the shim: an error, and nothing left after `delete`."""
import json
import os
import shutil

import pytest

from bed import containerd as cd
from bed import leaks, task, ttrpc

pytestmark = pytest.mark.skipif(cd.kata_runtime() == cd.RUNC, reason="runc's shim answers Unknown")


@pytest.fixture
def refused(host):
    """refused(spoil): makes a bundle, lets spoil(folder) break it, and returns Create's error."""
    before = leaks.Snapshot(host.tokens())

    def attempt(spoil):
        id, folder = host.bundle(["true"])
        spoil(folder)
        started = host.verb(id, folder, "start")
        if started.code != 0:
            host.delete(id, folder)
            return ttrpc.CallError(ttrpc.UNKNOWN, started.out + started.err)
        with task.Task(started.out.strip()) as shim:
            with pytest.raises(ttrpc.CallError) as caught:
                shim.create(id, folder)
            assert shim.code("Delete", id=id) == ttrpc.NOT_FOUND
            shim.code("Shutdown", id=id)
        host.delete(id, folder)
        return caught.value

    yield attempt
    left = leaks.wait_clean(host.tokens(), before)
    assert not left, "\n".join(left)


def change(**changes):
    def spoil(folder):
        path = folder / "config.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | changes))

    return spoil


def test_not_json(refused):
    error = refused(lambda folder: (folder / "config.json").write_text('{"ociVersion": '))
    assert "config.json" in error.message


def test_no_configuration(refused):
    error = refused(lambda folder: (folder / "config.json").unlink())
    assert "config.json" in error.message


def test_deeply_nested_json(refused):
    refused(lambda folder: (folder / "config.json").write_text("[" * 100000))


def test_no_root_folder(refused):
    error = refused(lambda folder: shutil.rmtree(folder / "rootfs"))
    assert "rootfs" in error.message


def test_no_process(refused):
    refused(change(process=None))


def test_no_arguments(refused):
    refused(change(process={"args": [], "cwd": "/"}))


def test_wrong_types(refused):
    refused(change(process={"args": "true", "cwd": 5}))


def test_host_network_is_refused_before_anything_is_touched(refused):
    """A network namespace path that is the host's own: no link may be moved into a VM."""
    links = leaks.Snapshot(()).kinds["link"]
    error = refused(change(linux={"namespaces": [{"type": "pid"}, {"type": "mount"},
                                                 {"type": "network", "path": f"/proc/{os.getpid()}/ns/net"}]}))
    assert "network" in error.message.lower()
    assert leaks.Snapshot(()).kinds["link"] == links
