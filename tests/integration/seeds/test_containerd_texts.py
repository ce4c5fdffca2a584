"""containerd's configuration as the seeds write it: containerd takes it, and the installer leaves it as it is."""
import tomllib

import pytest

from bed import containerd as cd
from bed import places, run
from bed.installer import INSTALL

SEED_001 = """version = 2
[plugins."io.containerd.grpc.v1.cri".containerd]
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.kata]
      runtime_type = "io.containerd.kata.v2"
      privileged_without_host_devices = true
      pod_annotations = ["io.katacontainers.*"]
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.kata.options]
        ConfigPath = "/opt/kata/share/defaults/kata-containers/configuration.toml"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.kata-qemu]
      runtime_type = "io.containerd.kata-qemu.v2"
      privileged_without_host_devices = true
      pod_annotations = ["io.katacontainers.*"]
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.kata-qemu.options]
        ConfigPath = "/opt/kata/share/defaults/kata-containers/configuration-qemu.toml"
"""
SEED_003 = """[plugins.cri.containerd]
  no_pivot = false
  [plugins.cri.containerd.runtimes]
    [plugins.cri.containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v1"
      [plugins.cri.containerd.runtimes.runc.options]
        NoPivotRoot = false
        BinaryName = "runc"
        SystemdCgroup = false
    [plugins.cri.containerd.runtimes.kata]
      runtime_type = "io.containerd.kata.v2"
    [plugins.cri.containerd.runtimes.katacli]
      runtime_type = "io.containerd.runc.v1"
      [plugins.cri.containerd.runtimes.katacli.options]
        BinaryName = "/usr/bin/kata-runtime"

[plugins.cri.containerd.untrusted_workload_runtime]
  runtime_type = "io.containerd.kata.v2"
"""


@pytest.mark.parametrize("text, handlers", [(SEED_001, {"kata", "kata-qemu"}), (SEED_003, {"kata", "kata-qemu", "katacli", "runc"})],
                         ids=["seed 001 row 6", "seed 003 row 13"])
def test_the_file_works_and_stays(tmp_path, text, handlers):
    containerd, config = cd.binaries("1.6") / "containerd", tmp_path / "config.toml"
    config.write_text(text)
    tree = tmp_path / "tree"
    for name in ("containerd-shim-kata-v2", "kata-runtime"):
        (tree / "bin").mkdir(parents=True, exist_ok=True)
        (tree / "bin" / name).symlink_to(places.bin_dir() / name)
    words = ["--record", tmp_path / "record", "--containerd", containerd]
    run.run([INSTALL, "install", *words, "--from", tree, "--prefix", tmp_path / "kata", "--links", tmp_path / "local",
             "--containerd-config", config]).ok()
    assert config.read_text().startswith(text)
    dump = tomllib.loads(run.run([containerd, "-c", config, "config", "dump"]).ok().out)
    runtimes = dump["plugins"]["io.containerd.grpc.v1.cri"]["containerd"]["runtimes"]
    assert set(runtimes) == handlers
    assert runtimes["kata"]["runtime_type"] == "io.containerd.kata.v2"
    run.run([INSTALL, "uninstall", "--force", *words]).ok()
    assert config.read_text() == text
