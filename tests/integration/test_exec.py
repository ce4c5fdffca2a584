"""Further processes in a running container."""
import pytest


@pytest.fixture(scope="module")
def running(containerd):
    id = containerd.start_detached("sleep", "1000", flags=["--env", "COLOUR=green"])
    yield id
    containerd.remove(id)


def test_output_and_exit_status(containerd, running):
    result = containerd.exec(running, "sh", "-c", "echo out; echo err >&2; exit 5")
    assert (result.code, result.out, result.err.splitlines()[-1:]) == (5, "out\n", ["err"])


def test_environment_is_that_of_the_container(containerd, running):
    assert containerd.exec(running, "sh", "-c", "echo $COLOUR").ok().out == "green\n"


def test_shares_the_pid_namespace(containerd, running):
    assert "sleep 1000" in containerd.exec(running, "ps").ok().out


def test_input(containerd, running):
    assert containerd.exec(running, "cat", stdin="typed\n").ok().out == "typed\n"


def test_working_directory(containerd, running):
    assert containerd.exec(running, "pwd", flags=["--cwd", "/tmp"]).ok().out == "/tmp\n"


def test_user(containerd, running):
    assert containerd.exec(running, "id", "-u", flags=["--user", "1000"]).ok().out == "1000\n"


def test_addresses_of_programs_are_random(containerd, running):
    # Whatever the agent does to start its own children quickly.
    assert containerd.exec(running, "cat", "/proc/self/personality").ok().out == "00000000\n"
    assert containerd.exec(running, "cat", "/proc/1/personality").ok().out == "00000000\n"


def test_missing_binary_fails_at_once(containerd, running):
    result = containerd.exec(running, "/no/such/binary")
    assert result.code not in (0, None) and result.seconds < 10, result.describe()
    assert "no such file or directory" in (result.err + result.out).lower()


def test_container_lives_on_after_a_failed_exec(containerd, running):
    containerd.exec(running, "/no/such/binary")
    assert containerd.exec(running, "echo", "alive").ok().out == "alive\n"


def test_same_exec_id_twice_one_after_the_other(containerd, running):
    for _ in range(2):
        assert containerd.exec(running, "echo", "again", exec_id="again").ok().out == "again\n"


def test_many_at_once(containerd, running):
    processes = [containerd.ctr_background("task", "exec", "--exec-id", f"many{n}", running,
                                           "sh", "-c", f"echo number {n}; sleep 0.2; exit {n}") for n in range(8)]
    try:
        for number, process in enumerate(processes):
            assert process.wait(60) == number, process.err
            assert process.out == f"number {number}\n"
    finally:
        for process in processes:
            process.close()
