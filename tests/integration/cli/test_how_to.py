"""What docs/how-to says works when it is typed."""
import re
import subprocess

import pytest

from bed import containerd as cd
from bed import guest_shell, kata_config, places

PRIMARY_ONLY = True

if cd.kata_runtime() == cd.RUNC:
    pytest.skip("runc has no guest", allow_module_level=True)


def test_a_shell_in_the_guest(kata, containerd, container, tmp_path):
    text = (places.REPO / "docs" / "how-to" / "debugging.md").read_text()
    setting = re.search(r"```toml\n(.*?)```", text, re.DOTALL)[1]
    script = re.search(r"```sh\n(.*?)```", text, re.DOTALL)[1]
    script = re.sub(r"initrd=\S+", f"initrd={places.guest_artefacts()['KATA_INITRD']}", script, count=1)
    subprocess.run(["sh", "-euc", script], cwd=tmp_path, check=True)
    config = kata_config.write(tmp_path / "c.toml", {kata_config.QEMU: {"initrd": tmp_path / "initrd-shell.img"}})
    (tmp_path / "config.d").mkdir()
    (tmp_path / "config.d" / "20-debug.toml").write_text(setting)
    id = container("sleep", "1000", flags=["--runtime-config-path", config])
    guest_shell.GuestShell(id).close()  # it listens now
    assert "Linux version" in kata("exec", id, "--", "busybox", "dmesg").ok().out
    phases = kata("why-slow", id).ok().out
    assert "kernel" in phases and "agent" in phases, phases
