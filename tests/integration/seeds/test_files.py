"""What the seeds do with the installed files: edits with sed, links, places of distributions."""
import os
import subprocess

import pytest

from bed import kata_config, places, run

DEFAULTS = "share/defaults/kata-containers"
# Seed 001, character by character, for a copy of the file.
SED_001 = r"""
sed -i 's/\[\"enable_iommu\"\]/["enable_iommu", "virtio_fs_extra_args", "default_memory", "kernel_params", "cpu_features"]/' %s
sed -i 's/#file_mem_backend\s=\s\"\"/file_mem_backend = "\/var\/lib\/kata"/' %s
sed -i '/default_vcpus = 1/c\default_vcpus = 8' %s
"""
SED_000 = """sed -i 's/shared_fs = "virtio-fs"/shared_fs = "virtio-9p"/' %s\n"""


@pytest.fixture
def settings(tmp_path):
    """The shipped file, with paths of this machine's guest."""
    guest = places.guest_artefacts()
    text = (places.REPO / "share/defaults/kata-containers/configuration-qemu.toml.in").read_text()
    text = text.replace("@PREFIX@/share/kata-containers/vmlinux.container", guest["KATA_KERNEL"])
    text = text.replace("@PREFIX@/share/kata-containers/kata-containers-initrd.img", guest["KATA_INITRD"])
    file = tmp_path / "configuration-qemu.toml"
    file.write_text(text.replace("@PREFIX@", "/opt/kata"))
    return file


def effective(kata, file):
    import json
    keys = json.loads(kata("config", "show", "--effective", "--json", file).ok().out)["keys"]
    return {name.rpartition(".")[2]: row["value"] for name, row in keys.items() if name.startswith("hypervisor.qemu.")}


def test_row_7_the_edits_of_seed_001(kata, settings):
    folder = settings.parent / "kata"
    folder.mkdir()
    subprocess.run(["sh", "-ec", (SED_001 % ((settings,) * 3)).replace(r"\/var\/lib\/kata", str(folder).replace("/", r"\/"))],
                   check=True)
    kata("config", "check", settings).ok()
    values = effective(kata, settings)
    assert values["enable_annotations"] == ["enable_iommu", "virtio_fs_extra_args", "default_memory", "kernel_params",
                                            "cpu_features"]
    assert values["file_mem_backend"] == str(folder)
    assert settings.read_text().count("\ndefault_vcpus = 8\n") == 1 and values["default_vcpus"] == min(8, os.cpu_count())


def test_row_2_the_edit_of_seed_000(kata, settings):
    subprocess.run(["sh", "-ec", SED_000 % settings], check=True)
    kata("config", "check", settings).ok()
    assert effective(kata, settings)["shared_fs"] == "virtio-9p"


def test_row_2_the_short_file_of_seed_000(kata, tmp_path):
    """Nine lines; with paths of this machine."""
    guest = kata_config.default_sections()[kata_config.QEMU]
    file = tmp_path / "configuration-qemu.toml"
    file.write_text(f"""[hypervisor.qemu]
path = "{guest["path"]}"
kernel = "{guest["kernel"]}"
initrd = "{guest["initrd"]}"
machine_type = "q35"
default_vcpus = 1
default_memory = 512
shared_fs = "virtio-9p"
disable_guest_selinux = true  # Required when host SELinux is disabled
""")
    assert "no problems found" in kata("config", "check", file).ok().out
    assert "create_container_timeout = 60  # default\n" in kata("config", "show", "--effective", file).ok().out


def test_row_3_commands_of_seed_000(kata):
    assert kata("--version").ok().out.startswith("kata-runtime  : ")
    assert "System is capable of running Kata Containers" in kata("kata-check").ok().out


def test_row_14_places_of_a_distribution(kata, tmp_path):
    """/usr/share/kata-containers/defaults is searched, and /usr is a prefix."""
    assert "/usr/share/kata-containers/defaults/configuration.toml" in kata("--show-default-config-paths").ok().out.split()
    env = dict(os.environ, DESTDIR=str(tmp_path), PREFIX="/usr", KATA_BUILD=str(places.build_dir()))
    subprocess.run([places.REPO / "scripts" / "install.sh"], env=env, check=True, timeout=120)
    assert os.access(tmp_path / "usr/bin/kata-runtime", os.X_OK)
    text = (tmp_path / "usr" / DEFAULTS / "configuration.toml").read_text()
    assert 'kernel = "/usr/share/kata-containers/vmlinux.container"' in text
    assert run.run(["grep", "-rl", "/opt/kata", tmp_path / "usr" / DEFAULTS]).code == 1
