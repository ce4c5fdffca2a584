"""`ctr run` gives the container's output and nothing else, and leaves nothing behind."""
import os


def test_stdout_and_exit_status(containerd, clean):
    id = containerd.new_id()
    result = containerd.run("echo", "hello", id=id).ok()
    assert result.out == "hello\n"
    assert not os.path.exists(containerd.shim_socket(id))


def test_stderr_is_apart(containerd):
    result = containerd.run("sh", "-c", "echo out; echo err >&2").ok()
    assert (result.out, result.err.splitlines()[-1:]) == ("out\n", ["err"])
