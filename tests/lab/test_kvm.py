"""The main job with real KVM and the kernel's vhost-vsock, inside the lab."""
import json

import pytest

from bed import places


@pytest.fixture(scope="module")
def outcome(lab):
    environment = {"KATA_BUILD": places.build_dir(), "KATA_CACHE": places.cache_dir(), **places.guest_artefacts()}
    result = lab("python3", "tests/lab/inner.py", timeout=900, **environment)
    lines = [json.loads(line) for line in result.out.splitlines() if line.startswith("{")]
    assert result.code == 0, result.describe()
    return {line["name"]: line["value"] for line in lines}


def test_output_and_exit_status(outcome):
    run = outcome["run"]
    assert (run["code"], run["out"].splitlines()[:1]) == (5, ["hello"]), outcome["log"] or run


def test_the_accelerator_is_kvm(outcome):
    assert any("accel=kvm" in line or "-accel kvm" in line for line in outcome["command line"])


def test_the_channel_is_the_kernel_s_vsock(outcome):
    assert any("vhost-vsock" in line for line in outcome["command line"])


def test_exec(outcome):
    assert outcome["exec"]["code"] == 0 and outcome["exec"]["out"].endswith("exec\n")


def test_nothing_is_left(outcome):
    assert outcome["left"] == [] and outcome["at the end"] == []


def test_the_network_is_served_by_vhost_net(outcome):
    """Model tcfilter: traffic flows, and the kernel's own threads move it."""
    network = outcome["network"]
    assert network["size"] == str(4 << 20), network
    assert network["vhost=on"] and network["vhost-net open"], network
    assert "tap0_kata" in network["links"]
    work = network["work of each worker"]
    assert len(work) >= 2 and min(work) > 0, f"one for vsock, one for the network, and each did something: {work}"
    assert outcome["network left"] == [False]


def test_vcpus_go_with_the_container_that_needed_them(outcome):
    """(threads of the VMM, CPUs of the guest): alone, with a limited container, without it, and once more."""
    assert outcome["vcpus"] == [[1, 1], [2, 2], [1, 1], [2, 2], [1, 1]], outcome["vcpus log"]
    assert outcome["vcpus left"] == []
