"""Fifos of a task, seen by a client that made them itself."""
import pytest

from bed import fifo, run


@pytest.fixture
def streams(tmp_path):
    made = {"stdin": fifo.Input(tmp_path / "in"), "stdout": fifo.Output(tmp_path / "out"),
            "stderr": fifo.Output(tmp_path / "err")}
    yield made
    for stream in made.values():
        stream.close()


def paths(streams):
    return {name: stream.path for name, stream in streams.items()}


def test_output_ends_with_the_process(created, streams):
    item = created(["sh", "-c", "echo out; echo err >&2"])
    item.create(**paths(streams))
    item.task.start(item.id)
    assert item.task.wait(item.id) == 0
    assert streams["stdout"].wait_end(10) == b"out\n" and streams["stderr"].wait_end(10) == b"err\n"


def test_end_of_input_comes_with_close_io_only(created, streams):
    item = created(["sh", "-c", "cat; echo over"])
    item.create(**paths(streams))
    item.task.start(item.id)
    streams["stdin"].open()
    streams["stdin"].write(b"one\n")
    streams["stdout"].expect(b"one\n")
    streams["stdin"].close()  # a client that goes away is not the end of the input
    run.run(["sleep", "0.5"])
    assert b"over" not in streams["stdout"].read()
    item.task.call("CloseIO", [(3, True)], id=item.id)
    assert item.task.wait(item.id) == 0
    streams["stdout"].expect(b"over\n")
    streams["stdin"].handle = None


def test_output_waits_for_a_new_reader(created, streams):
    """As when containerd is restarted: the reader vanishes, the writer must not notice."""
    item = created(["sh", "-c", "echo first; sleep 1; echo second; sleep 1000"])
    item.create(**paths(streams))
    item.task.start(item.id)
    streams["stdout"].expect(b"first\n")
    old = streams["stdout"]
    old.close()
    run.run(["sleep", "2"])
    old.handle = fifo.os.open(old.path, fifo.os.O_RDONLY | fifo.os.O_NONBLOCK)
    old.expect(b"second\n")
    assert item.task.status(item.id) == 2


def test_state_echoes_the_paths(created, streams):
    item = created(["sleep", "1000"])
    item.create(**paths(streams))
    state = item.task.call("State", id=item.id)
    assert [state[number][0].decode() for number in (5, 6, 7)] == list(paths(streams).values())


def test_exec_has_its_own_streams(running, streams):
    running.task.exec(running.id, "own", ["sh", "-c", "echo from exec"], **paths(streams))
    running.task.start(running.id, "own")
    assert running.task.wait(running.id, "own") == 0
    assert streams["stdout"].wait_end(10) == b"from exec\n"
    running.task.call("Delete", id=running.id, exec_id="own")
