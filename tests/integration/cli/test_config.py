"""config check and config show: what is wrong with a file, and what holds."""
import json
import tomllib

import pytest

from bed import kata_config
from bed.kata_config import QEMU


@pytest.fixture
def good(tmp_path):
    return kata_config.write(tmp_path / "configuration.toml")


def line_of(path, word):
    lines = open(path).read().splitlines()
    return next(number for number, line in enumerate(lines, 1) if word in line)


def test_a_good_file(kata, good):
    assert "no problems found" in kata("config", "check", good).ok().out


def test_every_slip_with_its_line(kata, tmp_path):
    path = kata_config.write(tmp_path / "c.toml", {QEMU: {
        "kernel": "/no/such/kernel", "default_memory": "much", "defualt_maxvcpus": 3, "enable_guest_swap": True}})
    result = kata("config", "check", path)
    assert result.code == 1, result.describe()
    for word, cause, fix in (
            ("kernel =", "/no/such/kernel: No such file or directory", "correct the path"),
            ("default_memory", "expected an integer", "found the string"),
            ("defualt_maxvcpus", "unknown key", 'did you mean "default_maxvcpus"?')):
        line = next(x for x in result.out.splitlines() if cause in x)
        assert line.startswith(f"error: {path}:{line_of(path, word)}: ") and fix in line, result.describe()
    assert f"not yet effective: {path}:{line_of(path, 'enable_guest_swap')}: " in result.out
    assert "3 errors, 1 warning" in result.out


def test_warnings_fail_only_when_strict(kata, tmp_path):
    path = kata_config.write(tmp_path / "c.toml", {QEMU: {"enable_guest_swap": True}})
    assert kata("config", "check", path).code == 0
    assert kata("config", "check", "--strict", path).code == 1


def test_a_fragment_is_checked_too(kata, good, tmp_path):
    (tmp_path / "config.d").mkdir()
    (tmp_path / "config.d" / "50-mine").write_text("[runtime]\n\nno_such = 1\n")
    result = kata("config", "check", good)
    assert result.code == 1 and "config.d/50-mine:3: runtime.no_such: unknown key" in result.out


@pytest.mark.parametrize("text", ["[hypervisor.qemu", "\0", "x = 1", ""])
def test_no_configuration_at_all(kata, tmp_path, text):
    path = tmp_path / "c.toml"
    path.write_text(text)
    result = kata("config", "check", path)
    assert result.code == 1 and "error: " in result.out and str(path) in result.out


def test_missing_file_and_foreign_file(kata, good):
    assert kata("config", "check", "/no/such.toml").code == 1
    import os
    os.chmod(good, 0o666)
    result = kata("config", "check", good)
    assert result.code == 1 and f"chmod go-w {good}" in result.out


def test_effective_has_each_value_and_its_source(kata, good, tmp_path):
    (tmp_path / "config.d").mkdir()
    fragment = tmp_path / "config.d" / "10-memory"
    fragment.write_text("[hypervisor.qemu]\ndefault_memory = 300\n")
    text = kata("config", "show", "--effective", good).ok().out
    assert f"default_memory = 300  # {fragment}:2\n" in text
    assert "create_container_timeout = 60  # default\n" in text
    assert tomllib.loads(text)["hypervisor"]["qemu"]["default_memory"] == 300
    document = json.loads(kata("config", "show", "--effective", "--json", good).ok().out)
    assert document["drop_ins"] == [str(fragment)]
    row = document["keys"]["hypervisor.qemu.kernel"]
    assert row["set"] and row["source"].startswith(good + ":")
    assert document["keys"]["agent.kata.dial_timeout"] == {
        "value": 45, "source": "default", "set": False, "effect": "effective"}


def test_effective_of_a_broken_file_fails_with_the_way_out(kata, tmp_path):
    path = kata_config.write(tmp_path / "c.toml", {QEMU: {"default_memory": "much"}})
    result = kata("config", "show", "--effective", path)
    assert result.code == 1 and "default_memory" in result.err and "config check" in result.err


def test_what_is_shown_is_a_valid_configuration(kata, good, tmp_path):
    again = tmp_path / "again.toml"
    again.write_text(kata("config", "show", "--effective", good).ok().out)
    assert kata("config", "check", again).ok()
