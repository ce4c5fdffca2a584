"""The shim is found under every name and path a node may use for it."""
import os

import pytest

from bed import containerd as cd
from bed import image, places

PRIMARY_ONLY = True

if cd.kata_runtime() == cd.RUNC:
    pytest.skip("only kata has these names", allow_module_level=True)


@pytest.fixture
def linked():
    """A link of another name beside the shim."""
    link = places.bin_dir() / "containerd-shim-kata-qemu-v2"
    created = not link.exists()
    if created:
        os.symlink(places.shim().name, link)
    yield link
    if created:
        link.unlink()


def test_short_name(containerd):
    assert containerd.run("echo", "hi", runtime="io.containerd.kata.v2").ok().out == "hi\n"


def test_link_with_another_name(containerd, linked):
    assert containerd.run("echo", "hi", runtime="io.containerd.kata-qemu.v2").ok().out == "hi\n"


def test_absolute_path(containerd):
    assert containerd.run("echo", "hi", runtime=str(places.shim())).ok().out == "hi\n"


def test_absolute_path_of_a_link(containerd, tmp_path):
    link = tmp_path / "containerd-shim-kata-v2"
    link.symlink_to(places.shim())
    assert containerd.run("echo", "hi", runtime=str(link)).ok().out == "hi\n"


def test_name_with_run_in_it(containerd, tmp_path):
    """io.containerd.run.kata.v2, as crictl configurations of old spell it."""
    assert containerd.run("echo", "hi", runtime="io.containerd.run.kata.v2").ok().out == "hi\n"


def test_wrapper_script_that_sets_the_configuration(containerd, tmp_path):
    wrapper = tmp_path / "containerd-shim-kata-wrapped-v2"
    wrapper.write_text(f"#!/bin/sh\nKATA_CONF_FILE={containerd.kata_config} exec {places.shim()} \"$@\"\n")
    wrapper.chmod(0o755)
    assert containerd.run("echo", "hi", runtime=str(wrapper), ref=image.BUSYBOX).ok().out == "hi\n"
