"""Pods as containerd's CRI plugin and CRI-O announce them to the shim: annotations, joining, death of the VM."""
import os
import signal
import time

import pytest

from bed import run, task, ttrpc, wire
from bed.shim_pod import KEYS, Member, annotations

def exits(host, ids):
    """{id: (when its exit event came, status)}"""
    return {wire.text(event, 1): (when, wire.first(event, 4, 0))
            for (topic, _, event), when in zip(list(host.sink.events), list(host.sink.times))
            if topic == "/tasks/exit" and wire.text(event, 1) in ids}


@pytest.mark.parametrize("manager", KEYS)
def test_vm_death_ends_every_container_at_once(created, host, manager):
    sandbox = created(["sleep", "1000"], annotations=annotations("sandbox", manager=manager))
    pid = sandbox.create()
    sandbox.task.start(sandbox.id)
    members = [Member(host, sandbox.id, ["sleep", "1000"], manager) for _ in range(5)]
    assert {member.address for member in members} == {sandbox.address}
    for member in members:
        member.create_and_start()
    # One container ends and is deleted, `delete` runs for it: the others do not notice.
    gone = members.pop()
    gone.end()
    assert host.delete(gone.id, gone.folder).code == 0
    assert [member.task.status(member.id) for member in members] == [task.RUNNING] * 4

    ids = [sandbox.id] + [member.id for member in members]
    killed = time.monotonic()
    os.kill(pid, signal.SIGKILL)
    run.wait_until(lambda: len(exits(host, ids)) == len(ids), 20, "an exit event for each container")
    last = max(when for when, _ in exits(host, ids).values()) - killed
    print(f"exits of {len(ids)} containers after {last * 1000:.1f} ms")
    assert last < 0.1 * run.PATIENCE
    assert {status for _, status in exits(host, ids).values()} == {137}

    id, folder = host.bundle(["true"], annotations=annotations("container", sandbox.id, manager))
    with host.connect(id, folder) as late:
        with pytest.raises(ttrpc.CallError, match="gone|does not run"):
            late.create(id, folder)
    for member in members:
        member.end()


def test_unknown_container_type(host):
    id, folder = host.bundle(["true"], annotations=annotations("moon"))
    result = host.verb(id, folder, "start")
    assert result.code not in (0, None)
    assert 'unknown container type "moon"' in result.out + result.err
    assert host.delete(id, folder).code == 0


def test_missing_sandbox_id(host):
    id, folder = host.bundle(["true"], annotations=annotations("container"))
    result = host.verb(id, folder, "start")
    assert result.code not in (0, None)
    assert "no annotation names its sandbox" in result.out + result.err
    assert host.delete(id, folder).code == 0


def test_sandbox_id_that_leads_elsewhere(host):
    id, folder = host.bundle(["true"], annotations=annotations("container", "../../etc"))
    result = host.verb(id, folder, "start")
    assert result.code not in (0, None)
    assert "is not a valid id" in result.out + result.err
    assert host.delete(id, folder).code == 0


def test_container_of_a_sandbox_that_was_never_made(created, host):
    """The shim is there, its sandbox is not."""
    sandbox = created(["sleep", "1000"], annotations=annotations("sandbox"))
    id, folder = host.bundle(["true"], annotations=annotations("container", sandbox.id))
    with host.connect(id, folder) as member:
        with pytest.raises(ttrpc.CallError, match="sandbox of the pod does not run") as refused:
            member.create(id, folder)
        assert refused.value.code == ttrpc.FAILED_PRECONDITION
        assert member.code("Delete", id=id) == ttrpc.NOT_FOUND
