"""The agent's debug console: what a client leaves behind when it goes."""
import pytest

from bed import containerd as cd
from bed import guest_shell, kata_config, places, run

PRIMARY_ONLY = True

if cd.kata_runtime() == cd.RUNC:
    pytest.skip("runc has no guest", allow_module_level=True)


@pytest.fixture
def guest(containerd, container, work):
    """The id of a container, in whose guest no other `sleep` runs, with a debug console."""
    initrd = guest_shell.add_shell(places.guest_artefacts()["KATA_INITRD"], work / "console-initrd")
    config = kata_config.write(work / "console.toml", {
        kata_config.QEMU: {"initrd": initrd}, kata_config.AGENT: {"debug_console_enabled": True}})
    id = containerd.new_id()
    container("tail", "-f", "/dev/null", id=id, flags=["--runtime-config-path", config])
    return id


def test_a_client_that_goes_ends_a_shell_that_does_not_read(guest):
    other = guest_shell.GuestShell(guest)
    deaf = guest_shell.GuestShell(guest)
    deaf.send("busybox sleep 4321\n")
    run.wait_until(lambda: "found" in other.say("busybox ps | busybox grep -q 'sleep 432[1]' && echo fou''nd"), 20, "the shell is busy")
    deaf.send("x\n" * 16384)  # more than the terminal takes
    deaf.close()
    run.wait_until(lambda: "none" in other.say("busybox ps | busybox grep -q 'sleep 432[1]' || echo no''ne"), 20, "the shell is gone")
    other.close()
