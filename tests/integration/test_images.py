"""Root file systems of several layers, of none, and of an empty one."""
from bed import image


def test_layers_and_whiteouts(containerd):
    result = containerd.run("sh", "-c", "cat /data/a; ls /data", ref=image.LAYERED).ok()
    assert result.out == "third\na\n"


def test_native_snapshotter(containerd):
    flags = ["--snapshotter", "native"]
    unpack = containerd.ctr("image", "import", "--snapshotter", "native",
                            *(["--local"] if containerd.version.startswith("2") else []),
                            containerd.work.parent / "images" / "busybox.tar", timeout=120)
    unpack.ok()
    assert containerd.run("cat", "/etc/hostname", flags=flags).ok().out == "image\n"


def test_empty_image(containerd, clean):
    result = containerd.run("/bin/sh", ref=image.EMPTY)
    assert result.code not in (0, None) and "no such file or directory" in result.err.lower(), result.describe()


def test_image_without_layers(containerd, clean):
    result = containerd.run("/bin/sh", ref=image.NO_LAYERS)
    assert result.code not in (0, None) and result.seconds < 60, result.describe()


def test_rootfs_folder_instead_of_an_image(containerd, rootfs, tmp_path):
    copy = image.copy_rootfs(rootfs, tmp_path / "root")
    result = containerd.run("/bin/sh", "-c", "echo inside > /new; /bin/cat /etc/hostname", flags=["--rootfs"], ref=copy).ok()
    assert result.out == "image\n" and (copy / "new").read_text() == "inside\n"
