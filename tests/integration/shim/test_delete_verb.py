"""The `delete` verb: whatever happened before, it succeeds and answers a DeleteResponse."""
import os
import signal

from bed import leaks, run, ttrpc, wire


def test_of_something_that_never_was(host):
    id, folder = host.bundle(["true"])
    host.delete(id, folder).ok()


def test_twice(created, host):
    item = created(["true"])
    item.end()
    host.delete(item.id, item.folder).ok()


def test_after_the_shim_was_killed(created, host):
    before = leaks.Snapshot(host.tokens())
    item = created(["sleep", "1000"])
    item.create()
    item.task.start(item.id)
    pid = wire.first(item.task.call("Connect", id=item.id), 1)
    os.kill(pid, signal.SIGKILL)
    result = host.delete(item.id, item.folder).ok()
    assert wire.first(wire.decode(result.out), 2) == 137
    left = leaks.wait_clean(host.tokens(), before)
    assert not left, "\n".join(left)


def test_does_not_harm_a_living_shim(created, host):
    """containerd 1.6 calls it after every normal deletion, perhaps while others live."""
    item = created(["sleep", "1000"])
    other = created(["sleep", "1000"])
    item.create()
    other.create()
    other.task.start(other.id)
    host.delete(item.id, item.folder).ok()
    assert other.task.status(other.id) == 2
    run.wait_until(lambda: other.task.code("State", id=other.id) == ttrpc.OK, 5, "the other answers")
