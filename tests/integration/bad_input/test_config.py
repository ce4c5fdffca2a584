"""Wrong and missing configuration: a clear error that names the culprit, at once, nothing left."""
import pytest

from bed import containerd as cd
from bed import kata_config
from bed.kata_config import QEMU, RUNTIME

PRIMARY_ONLY = True

if cd.kata_runtime() == cd.RUNC:
    pytest.skip("only kata has this configuration", allow_module_level=True)


@pytest.fixture
def run_with(containerd, tmp_path, clean):
    """run_with(changes or text): `ctr run` of `echo fine` with that configuration file."""
    def run(changes):
        path = tmp_path / "configuration.toml"
        if isinstance(changes, str):
            path.write_text(changes)
        else:
            kata_config.write(path, changes)
        return containerd.run("echo", "fine", flags=["--runtime-config-path", path], timeout=180)

    return run


@pytest.mark.parametrize("key", ["kernel", "initrd", "path"])
def test_missing_file(run_with, key):
    result = run_with({QEMU: {key: "/no/such/file"}})
    assert result.code not in (0, None) and result.seconds < 15, result.describe()
    assert "/no/such/file" in result.err


def test_virtiofsd_missing(run_with):
    result = run_with({QEMU: {"virtio_fs_daemon": "/no/such/virtiofsd"}})
    assert result.code not in (0, None) and "/no/such/virtiofsd" in result.err


def test_vmm_is_not_a_vmm(run_with):
    result = run_with({QEMU: {"path": "/bin/false"}})
    assert result.code not in (0, None) and result.seconds < 30, result.describe()


def test_kernel_is_not_a_kernel(run_with, tmp_path):
    garbage = tmp_path / "vmlinux"
    garbage.write_bytes(b"not a kernel\n" * 1000)
    result = run_with({QEMU: {"kernel": garbage}})
    assert result.code not in (0, None) and result.seconds < 60, result.describe()


def test_missing_configuration_file(containerd, clean):
    result = containerd.run("true", flags=["--runtime-config-path", "/no/such/configuration.toml"])
    assert result.code not in (0, None) and "/no/such/configuration.toml" in result.err


def test_wrong_type(run_with):
    result = run_with({QEMU: {"default_vcpus": "many"}})
    assert result.code not in (0, None) and "default_vcpus" in result.err, result.describe()


def test_not_toml(run_with):
    result = run_with("[hypervisor.qemu\nkernel = ")
    assert result.code not in (0, None) and "configuration.toml" in result.err, result.describe()


def test_unknown_key_is_a_warning_with_its_line(run_with, containerd):
    result = run_with({QEMU: {"no_such_key": 1}}).ok()
    assert result.out == "fine\n"
    lines = [line for line in containerd.log().splitlines() if "no_such_key" in line]
    assert lines and any("line" in line or ":" in line for line in lines)


def test_useless_kvm(run_with):
    """On a machine without usable KVM a configuration that insists on it fails, and says why."""
    result = run_with({QEMU: {"accel": "kvm"}})
    if result.code == 0:
        assert result.out == "fine\n"  # this machine has KVM
    else:
        assert "kvm" in result.err.lower() and result.seconds < 60, result.describe()


def test_no_memory_for_the_guest(run_with):
    result = run_with({QEMU: {"default_memory": 100_000_000}})
    assert result.code not in (0, None), result.describe()


def test_short_configuration_with_9p(run_with):
    """Seven keys, as an administrator writes them by hand; every other key has its default."""
    sections = kata_config.default_sections()
    del sections[QEMU]["virtio_fs_daemon"]
    sections[QEMU].update(shared_fs="virtio-9p", disable_guest_selinux=True, default_memory=512)
    del sections[RUNTIME]
    assert run_with(kata_config.toml(sections)).ok().out == "fine\n"


def test_short_configuration_with_virtio_fs(run_with):
    sections = kata_config.default_sections()
    text = kata_config.toml({QEMU: {key: sections[QEMU][key] for key in ("kernel", "initrd")}})
    assert run_with(text).ok().out == "fine\n"
