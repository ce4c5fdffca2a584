"""`make install` puts upstream's tree below DESTDIR and PREFIX."""
import os
import subprocess

from bed import places


def test_tree_and_paths_in_the_configuration(tmp_path):
    env = dict(os.environ, DESTDIR=str(tmp_path), PREFIX="/srv/kata", KATA_BUILD=str(places.build_dir()))
    subprocess.run([places.REPO / "scripts" / "install.sh"], env=env, check=True, timeout=120)
    root = tmp_path / "srv" / "kata"
    for program in ("containerd-shim-kata-v2", "kata-runtime", "kata-monitor"):
        assert os.access(root / "bin" / program, os.X_OK), program
    data = root / "share" / "kata-containers"
    assert (data / "vmlinux.container").stat().st_size > 1 << 20
    assert (data / "kata-containers-initrd.img").stat().st_size > 1 << 20
    assert (data / "grafana" / "kata-sandboxes.json").exists()
    defaults = root / "share" / "defaults" / "kata-containers"
    text = (defaults / "configuration.toml").read_text()
    assert "@PREFIX@" not in text
    assert 'kernel = "/srv/kata/share/kata-containers/vmlinux.container"' in text
    # Texts that administrators' scripts edit with sed.
    for needle in ('["enable_iommu"', '#file_mem_backend = ""', "default_vcpus = 1"):
        assert needle in text, needle
