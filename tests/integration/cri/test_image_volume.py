"""Volumes that are images: containerd 2.x mounts them on the node when a container asks, long after the pod's start."""
import pytest

from bed import image


def test_image_volume(pod):
    if pod.daemon.version.startswith("1"):
        pytest.skip("containerd 1.6 has no image volumes")
    volume = {"container_path": "/volume", "readonly": True, "image": {"image": image.BUSYBOX, "user_specified_image": image.BUSYBOX}}
    id = pod.run("imagevolume", "sleep", "1000", mounts=[volume])
    assert pod.sh(id, "cat /volume/etc/hostname") == "image\n"
    assert pod.sh(id, "/volume/bin/echo run from it") == "run from it\n"
    assert pod.exec(id, "touch", "/volume/new").code != 0
    pod.remove_container(id)
