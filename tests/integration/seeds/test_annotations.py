"""Seed 001, row 8: what its enable_annotations allows a pod to set, set all at once."""
import pytest

from bed import containerd as cd
from bed import kata_config

PRIMARY_ONLY = True
PREFIX = "io.katacontainers.config.hypervisor."

if cd.kata_runtime() == cd.RUNC:
    pytest.skip("runc has no such annotations", allow_module_level=True)


def test_row_8_annotations_that_seed_001_enables(containerd, tmp_path, clean):
    names = ["enable_iommu", "virtio_fs_extra_args", "default_memory", "kernel_params", "cpu_features"]
    config = kata_config.write(tmp_path / "c.toml", {kata_config.QEMU: {"enable_annotations": names}})
    values = {"virtio_fs_extra_args": '["--thread-pool-size=1"]', "default_memory": "320", "kernel_params": "seed.row=8",
              "cpu_features": "pmu=off"}
    flags = ["--runtime-config-path", config]
    for name, value in values.items():
        flags += ["--annotation", f"{PREFIX}{name}={value}"]
    out = containerd.run("sh", "-c", "cat /proc/cmdline; grep MemTotal /proc/meminfo", flags=flags).ok().out
    assert " seed.row=8" in out
    assert 256 < int(out.split()[-2]) >> 10 <= 320
    flags += ["--annotation", f"{PREFIX}default_vcpus=2"]
    result = containerd.run("true", flags=flags)
    assert result.code != 0 and "default_vcpus" in result.err and "enable_annotations" in result.err
