"""Every call in the wrong state answers the code of shim-v2 section 8."""
import time

import pytest

from bed import task, ttrpc, wire

UNKNOWN_ID = "no-such-container"


@pytest.mark.parametrize("method", ["State", "Start", "Wait", "Kill", "Delete", "Pids", "Pause", "Resume", "CloseIO", "Stats"])
def test_unknown_container(running, method):
    fields = [(3, 15)] if method == "Kill" else []
    assert running.task.code(method, fields, id=UNKNOWN_ID) == ttrpc.NOT_FOUND


@pytest.mark.parametrize("method", ["State", "Start", "Wait", "Kill", "Delete"])
def test_unknown_exec(running, method):
    fields = [(3, 15)] if method == "Kill" else []
    assert running.task.code(method, fields, id=running.id, exec_id="nothing") == ttrpc.NOT_FOUND


def test_checkpoint_is_not_implemented(running):
    assert running.task.code("Checkpoint", [(2, "/tmp/x")], id=running.id) == ttrpc.UNIMPLEMENTED


def test_unknown_method_and_service(running):
    assert running.task.code("NoSuchMethod", id=running.id) == ttrpc.UNIMPLEMENTED
    with pytest.raises(ttrpc.CallError) as caught:
        running.task.client.call("no.such.Service", "State")
    assert caught.value.code == ttrpc.UNIMPLEMENTED


def test_connect_never_fails(running):
    reply = running.task.call("Connect", id=UNKNOWN_ID)
    assert wire.first(reply, 1, 0) > 1 and wire.first(reply, 2, 0) == 0


def test_same_container_twice(running):
    with pytest.raises(ttrpc.CallError) as caught:
        running.task.create(running.id, running.folder)
    assert caught.value.code == ttrpc.ALREADY_EXISTS


def test_running_container_is_not_deleted(running):
    assert running.task.code("Delete", id=running.id) == ttrpc.FAILED_PRECONDITION
    assert running.task.status(running.id) == task.RUNNING


def test_running_container_is_not_started(running):
    assert running.task.code("Start", id=running.id) not in (ttrpc.OK, ttrpc.NOT_FOUND)


def test_same_exec_twice(running):
    running.task.exec(running.id, "twice", ["true"])
    with pytest.raises(ttrpc.CallError) as caught:
        running.task.exec(running.id, "twice", ["true"])
    assert caught.value.code == ttrpc.ALREADY_EXISTS
    running.task.call("Delete", id=running.id, exec_id="twice")


def test_exec_that_has_not_started(running):
    running.task.exec(running.id, "idle", ["true"])
    assert running.task.status(running.id, "idle") == task.CREATED
    assert running.task.code("Kill", [(3, 9)], id=running.id, exec_id="idle") == ttrpc.FAILED_PRECONDITION
    running.task.call("Delete", id=running.id, exec_id="idle")
    assert running.task.code("State", id=running.id, exec_id="idle") == ttrpc.NOT_FOUND


def test_exec_whose_program_is_missing(running):
    running.task.exec(running.id, "missing", ["/no/such"])
    waiting = running.task.begin("Wait", id=running.id, exec_id="missing")
    assert running.task.code("Start", id=running.id, exec_id="missing", timeout=10) != ttrpc.OK
    running.task.client.finish(waiting, 10)  # a waiter is never left alone
    running.task.call("Delete", id=running.id, exec_id="missing")


def test_finished_container(created):
    item = created(["sh", "-c", "exit 11"])
    item.create()
    item.task.start(item.id)
    assert item.task.wait(item.id) == 11
    assert item.task.wait(item.id) == 11  # any number of times
    state = item.task.call("State", id=item.id)
    assert (wire.first(state, 4), wire.first(state, 9)) == (task.STOPPED, 11)
    assert wire.first(wire.decode(wire.first(state, 10)), 1) > 1_600_000_000
    assert item.task.code("Kill", [(3, 15)], id=item.id) in (ttrpc.OK, ttrpc.NOT_FOUND, ttrpc.FAILED_PRECONDITION)
    assert item.task.code("Start", id=item.id) != ttrpc.OK
    assert item.task.code("Pause", id=item.id) != ttrpc.OK
    with pytest.raises(ttrpc.CallError):
        item.task.exec(item.id, "late", ["true"])
        item.task.start(item.id, "late")
    deleted = item.task.call("Delete", id=item.id)
    assert wire.first(deleted, 2) == 11
    assert item.task.code("State", id=item.id) == ttrpc.NOT_FOUND


def test_created_container_is_deleted_without_a_start(created):
    item = created(["true"])
    assert item.create() > 1
    assert item.task.status(item.id) == task.CREATED
    item.task.call("Delete", id=item.id)
    assert item.task.code("State", id=item.id) == ttrpc.NOT_FOUND


def test_created_container_can_be_killed(created):
    item = created(["sleep", "1000"])
    item.create()
    item.task.kill(item.id, 9)
    assert item.task.wait(item.id) == 137
    assert item.task.status(item.id) == task.STOPPED


def test_pids_and_state_of_a_created_container(created):
    item = created(["true"])
    pid = item.create()
    processes = item.task.call("Pids", id=item.id).get(1, [])
    assert [wire.first(wire.decode(process), 1) for process in processes] == [pid]


def test_wait_may_come_before_start(created):
    item = created(["sh", "-c", "exit 12"])
    item.create()
    waiting = item.task.begin("Wait", id=item.id)
    item.task.start(item.id)
    assert wire.first(item.task.client.finish(waiting, 60), 1) == 12


def test_both_versions_of_the_service(running):
    with task.Task(running.address, task.V3) as three:
        assert three.status(running.id) == task.RUNNING


def test_state_is_quick_while_a_container_is_being_created(created):
    item = created(["true"])
    item_box = item.task.begin("Create", [(2, str(item.folder))], id=item.id)
    with task.Task(item.address) as second:
        for _ in range(20):
            began = time.monotonic()
            second.call("Connect", id=item.id, timeout=2)
            assert time.monotonic() - began < 0.5
    item.task.client.finish(item_box, 120)
