"""The exit status of the container is the exit status of `ctr run`."""
import pytest


@pytest.mark.parametrize("code", [0, 1, 42, 255])
def test_plain_exit(containerd, code):
    assert containerd.run("sh", "-c", f"exit {code}").code == code


@pytest.mark.parametrize("name,number", [("KILL", 9), ("TERM", 15)])
def test_death_by_signal_is_128_plus_number(containerd, name, number):
    # Not by init itself: the kernel shields PID 1 of a PID namespace from its own signals.
    assert containerd.run("sh", "-c", f"sh -c 'kill -{name} $$'; exit $?").code == 128 + number
