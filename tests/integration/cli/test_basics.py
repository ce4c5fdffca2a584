"""The program's own options, and that nothing but commands that need it looks at the configuration."""
import json
import os

import pytest

from bed import kata_config, places, run
from bed.kata_config import QEMU


@pytest.fixture
def broken(tmp_path):
    path = tmp_path / "configuration.toml"
    path.write_text("[hypervisor.qemu\n")
    return path


@pytest.mark.parametrize("words", [["--version"], ["-v"], ["-version"], ["version"]])
def test_version(kata, broken, words):
    lines = kata("--config", broken, *words).ok().out.splitlines()
    assert lines[0] == "kata-runtime  : 4.1.0"
    assert lines[1].startswith("   commit   : ") and lines[2] == "   OCI specs: 1.2.1"


@pytest.mark.parametrize("flag", ["--show-default-config-paths", "--kata-show-default-config-paths",
                                  "-show-default-config-paths"])
def test_default_paths(kata, flag):
    lines = kata(flag).ok().out.splitlines()
    assert lines[0] == "/etc/kata-containers/configuration.toml"
    assert lines[1] == "/opt/kata/share/defaults/kata-containers/configuration.toml"
    assert all(line.startswith("/") for line in lines)


def test_help_and_nothing(kata):
    assert "config" in kata().ok().out
    assert "--show-default-config-paths" in kata("--help").ok().out
    assert "--require-kvm" in kata("check", "--help").ok().out
    assert "--effective" in kata("config", "show", "-h").ok().out


def test_unknown_words(kata):
    result = kata("no-such-command")
    assert result.code == 1 and 'Invalid command "no-such-command"' in result.err
    for words in (["--no-such"], ["check", "--no-such"], ["check", "junk"], ["config"], ["config", "no"],
                  ["--log-format", "xml", "version"], ["--config"]):
        result = kata(*words)
        assert result.code == 1 and result.err, result.describe()


def test_the_log_is_added_to(kata, tmp_path):
    log = tmp_path / "log"
    log.write_text("before\n")
    kata("--log", log, "--log-format", "json", "version").ok()
    assert log.read_text().startswith("before\n")
    result = kata("--log", tmp_path / "no" / "log", "version")
    assert result.code == 1 and "log file" in result.err


@pytest.mark.parametrize("name", ["check", "kata-check"])
def test_check_names_the_mode_and_why(kata, name, tmp_path):
    config = kata_config.write(tmp_path / "c.toml", {QEMU: {"accel": "tcg"}})
    result = kata("--config", config, name).ok()
    assert "Mode: TCG (emulation): configured\n" in result.out
    assert "System is capable of running Kata Containers\n" in result.out
    assert ("System can currently create Kata Containers\n" in result.out) == (os.geteuid() == 0)
    result = kata("--config", config, name, "--require-kvm")
    assert result.code == 1 and "KVM is required" in result.err


def test_check_of_an_unusable_accelerator(kata, tmp_path):
    config = kata_config.write(tmp_path / "c.toml", {QEMU: {"accel": "kvm"}})
    result = kata("--config", config, "check")
    if "Mode: KVM" in result.out or "Mode: nested KVM" in result.out:
        assert result.code == 0  # this machine has KVM
    else:
        assert result.code == 1 and "ERROR: System is not capable of running Kata Containers\n" in result.err
        assert "set accel" in result.err


def test_check_works_without_a_configuration(kata, broken):
    result = kata("--config", broken, "check", "-v").ok()
    assert "warning: the configuration cannot be used" in result.err
    assert "name=accelerator" in result.err and "level=" in result.err


def test_check_opens_no_vsock(tmp_path):
    """Upstream's check opens the device; ours looks whether it is there."""
    program = places.bin_dir() / "kata-runtime"
    trace = tmp_path / "trace"
    run.run(["strace", "-f", "-o", trace, "-e", "trace=socket,openat,open", program, "check"]).ok()
    text = trace.read_text()
    assert "/proc/cpuinfo" in text
    assert "AF_VSOCK" not in text and '"/dev/vhost-vsock"' not in text


@pytest.mark.parametrize("name", ["env", "kata-env"])
def test_env(kata, name, tmp_path):
    import tomllib
    config = kata_config.write(tmp_path / "c.toml", {QEMU: {"accel": "tcg"}})
    tables = tomllib.loads(kata("--config", config, name).ok().out)
    assert list(tables) == ["Kernel", "Meta", "Image", "Initrd", "Hypervisor", "Runtime", "Host", "Agent"]
    assert tables["Meta"]["Version"] == "1.0.27"
    assert tables["Runtime"]["Version"]["Version"] == {
        "Semver": "4.1.0", "Commit": "unknown", "Major": 4, "Minor": 1, "Patch": 0} or \
        len(tables["Runtime"]["Version"]["Version"]["Commit"]) >= 7
    assert tables["Hypervisor"]["Version"].startswith("QEMU emulator version")
    assert tables["Hypervisor"]["SecurityInfo"]["Rootless"] is False
    assert tables["Runtime"]["Config"]["Path"] == config
    assert tables["Host"]["CPU"]["CPUs"] == os.cpu_count()
    document = json.loads(kata("--config", config, name, "--json").ok().out)
    for table in document.values():  # free memory is another each time
        table.pop("Memory", None)
    for table in tables.values():
        table.pop("Memory", None)
    assert document == tables


def test_env_of_a_broken_file_says_so(kata, broken):
    result = kata("--config", broken, "env")
    assert result.code == 1 and str(broken) in result.err
