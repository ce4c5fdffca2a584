"""The check that each kernel option took (guest/kernel/config_check.py)."""
import pathlib

import config_check
import pytest

FRAGMENTS = sorted(
    (pathlib.Path(__file__).resolve().parents[2] / "guest/kernel/fragments").glob("*.config"))


def write(path, text):
    path.write_text(text)
    return str(path)


def test_the_last_assignment_wins(tmp_path):
    first = write(tmp_path / "a", "# words\nCONFIG_A=y\nCONFIG_B=\"x\"\n\nCONFIG_C=y\n")
    second = write(tmp_path / "b", "# CONFIG_A is not set\nCONFIG_C=12\n")
    assert config_check.options([first, second]) == {
        "CONFIG_A": "n", "CONFIG_B": '"x"', "CONFIG_C": "12"}


def test_options_that_took_pass(tmp_path):
    fragment = write(tmp_path / "a", "CONFIG_A=y\nCONFIG_B=n\n# CONFIG_C is not set\n")
    config_check.check(write(tmp_path / "r", "CONFIG_A=y\n# CONFIG_B is not set\n"), [fragment])


def test_each_option_that_did_not_take_is_named(tmp_path, capsys):
    fragment = write(tmp_path / "a", "CONFIG_A=y\nCONFIG_B=y\n# CONFIG_C is not set\nCONFIG_D=y\n")
    result = write(tmp_path / "r", "# CONFIG_A is not set\nCONFIG_C=y\nCONFIG_D=y\n")
    with pytest.raises(SystemExit) as end:
        config_check.check(result, [fragment])
    assert end.value.code == 1
    said = capsys.readouterr().err
    assert "CONFIG_A: wanted y, got n" in said
    assert "CONFIG_B: wanted y, got n" in said
    assert "CONFIG_C: wanted n, got y" in said
    assert "CONFIG_D" not in said


def test_a_line_that_is_no_option_is_an_error(tmp_path):
    with pytest.raises(SystemExit, match=":1: not an option"):
        config_check.options([write(tmp_path / "a", "CONFIG_A = y\n")])


def test_the_standard_kernel_keeps_its_promises():
    standard = [path for path in FRAGMENTS if not path.name.startswith(("95", "96", "97", "98", "99"))]
    options = config_check.options(standard)
    for name in ("CPU_MITIGATIONS", "RANDOMIZE_BASE", "VIRTIO_FS", "9P_FS", "VIRTIO_VSOCKETS",
                 "CGROUP_BPF", "SECCOMP_FILTER", "DUMMY", "NF_TABLES", "IP_NF_IPTABLES", "IP_VS",
                 "BINFMT_MISC", "VXLAN", "PSI", "ACPI_HOTPLUG_CPU", "ACPI_HOTPLUG_MEMORY", "PVH"):
        assert options[f"CONFIG_{name}"] == "y", name
    assert options["CONFIG_MODULES"] == "n"
