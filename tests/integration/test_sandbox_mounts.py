"""sandbox_bind_mounts: folders and files of the node for services of the guest."""
import pytest

from bed import containerd as cd
from bed import guest_shell, kata_config, places

PRIMARY_ONLY = True
PLACE = "/run/kata-containers/shared/containers/sandbox-mounts"

if cd.kata_runtime() == cd.RUNC:
    pytest.skip("runc has no guest", allow_module_level=True)


def write_config(work, name, entries):
    initrd = guest_shell.add_shell(places.guest_artefacts()["KATA_INITRD"], work / f"{name}-initrd")
    return kata_config.write(work / f"{name}.toml", {
        kata_config.QEMU: {"initrd": initrd}, kata_config.AGENT: {"debug_console_enabled": True},
        kata_config.RUNTIME: {"sandbox_bind_mounts": entries}})


def test_the_guest_sees_them(containerd, container, work, clean):
    places_ = {name: work / f"mounts-{name}" for name in ("plain", "open")}
    for path in places_.values():
        path.mkdir()
        (path / "word").write_text(f"of {path.name}\n")
    file = work / "mounts-file"
    file.write_text("a file\n")
    config = write_config(work, "sandbox-mounts", [f"{places_['plain']}/", f"{places_['open']}:rw", f"{file}:ro"])
    id = containerd.new_id()
    container("sleep", "1000", id=id, flags=["--runtime-config-path", config])
    shell = guest_shell.GuestShell(id)
    assert "of mounts-plain" in shell.say(f"busybox cat {PLACE}/mounts-plain/word")
    assert "a file" in shell.say(f"busybox cat {PLACE}/mounts-file")
    shell.say(f"echo x > {PLACE}/mounts-plain/new; echo x > {PLACE}/mounts-open/new; echo x > {PLACE}/mounts-file")
    shell.close()
    assert not (places_["plain"] / "new").exists(), "read-only unless it says otherwise"
    assert (places_["open"] / "new").read_text() == "x\n"
    assert file.read_text() == "a file\n"
    containerd.remove(id)
    (places_["open"] / "new").unlink()


def test_one_that_is_missing(containerd, work, clean):
    missing = work / "no-such-folder"
    config = write_config(work, "missing-mounts", [str(missing)])
    result = containerd.run("true", flags=["--runtime-config-path", config])
    assert result.code != 0
    for word in ("shared-tree", "sandbox_bind_mounts", str(missing), "No such file or directory"):
        assert word in result.err, result.err
