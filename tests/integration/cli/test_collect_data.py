"""collect-data: one text with all that a helper asks for, and no secret in it."""
import os
import pathlib
import re
import stat

import pytest

from bed import kata_config, places, run
from bed.kata_config import QEMU


def sections(text):
    """{title: content} of the report."""
    parts = re.split(r"^### (.*)$", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2]))


@pytest.fixture
def config(tmp_path):
    return kata_config.write(tmp_path / "c.toml", {QEMU: {"kernel_params": "agent.log=debug my.pin=hunter4711x quiet",
                                                           "no_such_key": "token=abc"}})


def test_what_is_in_it(kata, config):
    report = sections(kata("--config", config, "collect-data", timeout=120).ok().out)
    assert report["kata-runtime"].count("kata-runtime  : 4.1.0") == 1
    assert "QEMU emulator version" in report["Programs"] and "containerd" in report["Programs"]
    assert "accelerator: " in report["Checks"] and "configuration: " in report["Checks"]
    assert "[Host.CPU]" in report["Environment"]
    assert f"{config}:" in report["Findings"] and "no_such_key" in report["Findings"]
    assert "create_container_timeout = 60" in report["What holds"]
    for title in ("Kernel messages", "List", "Phases of starts", "Last lines of the runtime"):
        assert report[title].strip(), title


def test_secrets_are_masked(kata, config):
    out = kata("--config", config, "collect-data", timeout=120).ok().out
    assert "hunter4711x" not in out and "my.pin=***" in out and "agent.log=debug" in out


def test_a_broken_configuration_is_shown_instead(kata, tmp_path):
    path = tmp_path / "broken.toml"
    path.write_text("[hypervisor.qemu\nregistry_password = \"hunter2\"\nmine = 1\n")
    out = kata("--config", path, "collect-data", timeout=120).ok().out
    report = sections(out)
    assert "Not available: " in report["Environment"] and "error: " in report["Findings"]
    shown = report[f"The file, which cannot be used: {path}"]
    assert "mine = 1" in shown and "registry_password = ***" in shown and "hunter2" not in out


def test_no_configuration_at_all(kata, tmp_path):
    out = kata("--config", tmp_path / "none.toml", "collect-data", timeout=120).ok().out
    assert "none.toml" in out and "## Log" in out


def test_a_sandbox_is_in_it(kata, container):
    id = container("sleep", "1000")
    report = sections(kata("collect-data", timeout=120).ok().out)
    assert f"{id}: its shim lives" in report["List"] or f"{id}: starting" in report["List"]
    assert id in report["Phases of starts"]


def test_a_file_is_the_owners_alone(kata, config, tmp_path):
    out = tmp_path / "report.md"
    result = kata("--config", config, "collect-data", "--output", out, timeout=120).ok()
    assert result.out.startswith(f"{out}: ") and "read it once" in result.out
    assert stat.S_IMODE(out.stat().st_mode) == 0o600 and out.stat().st_size < 3 << 20
    assert kata("--config", config, "collect-data", "-o", tmp_path / "no" / "x", timeout=120).code == 1


def test_without_root_there_is_less(config):
    program = places.bin_dir() / "kata-runtime"
    if os.geteuid() != 0:
        pytest.skip("cannot become another user")
    os.chmod(pathlib.Path(config).parent, 0o755)
    result = run.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", program, "--config", config,
                      "collect-data"], timeout=120).ok()
    assert "not by root" in result.out and "## Log" in result.out


def test_long_logs_are_cut_at_the_end(kata, tmp_path):
    """Here a configuration stands for whatever is long."""
    path = tmp_path / "long.toml"
    path.write_text("[x\n" + "".join(f"# line {number}\n" for number in range(60_000)))
    report = sections(kata("--config", path, "collect-data", timeout=120).ok().out)
    shown = report[f"The file, which cannot be used: {path}"]
    assert "The last " in shown and "# line 59999" in shown and "# line 1\n" not in shown and len(shown) < 140_000
