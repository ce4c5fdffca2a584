"""Interfaces that a VM cannot take over: the error names interface, step and way out, and nothing changes."""
import pytest

from bed import containerd as cd
from bed import leaks, pod_network, shim, task, ttrpc

pytestmark = pytest.mark.skipif(cd.kata_runtime() == cd.RUNC, reason="runc takes over nothing")


def no_ethernet(network):
    network.pod.ip("tuntap", "add", "dev", "wg0", "mode", "tun")
    network.pod.ip("addr", "add", "192.0.2.1/24", "dev", "wg0")


def equal_macs(network):
    for number, name in enumerate(("net1", "net2")):
        network.add_nic(name, [f"10.124.{number}.2/24"], mac="02:00:00:00:00:07")


def huge_mtu(network):
    network.add_nic("net1", ["10.124.0.2/24"], mtu=65535)


def taken(network):
    network.pod.tc("qdisc", "add", "dev", "eth0", "ingress")


def too_many(network):
    for number in range(17):
        network.pod.ip("link", "add", f"b{number}", "type", "bridge")
        network.pod.ip("addr", "add", f"192.0.2.{number}/32", "dev", f"b{number}")


CASES = [(no_ethernet, "wg0 (tun) carries no Ethernet frames"), (equal_macs, "net1 and net2 have the same MAC"),
         (huge_mtu, "net1: its MTU 65535 is above 65521"), (taken, "eth0: it has an ingress qdisc already"),
         (too_many, "has more than 16 interfaces with addresses")]


def refusal(host, netns, name):
    linux = pod_network.linux_of(shim.spec([])["linux"], netns, f"/{host.namespace}/{name}")
    id, folder = host.bundle(["true"], linux=linux)
    with task.Task(host.start(id, folder)) as process:
        with pytest.raises(ttrpc.CallError) as caught:
            process.create(id, folder)
        process.code("Shutdown", id=id)
    host.delete(id, folder).ok()
    return caught.value.message


@pytest.mark.parametrize("spoil, words", CASES, ids=[case[0].__name__ for case in CASES])
def test_refused(host, work, spoil, words):
    before = leaks.Snapshot(host.tokens())
    network = pod_network.PodNetwork(work, "bad")
    try:
        network.add_nic("eth0", ["10.123.0.2/24"])
        spoil(network)
        state = network.pod.state()
        message = refusal(host, network.pod, "bad")
        assert "step network" in message and words in message
        assert network.pod.state() == state
    finally:
        network.close()
    assert not leaks.wait_clean(host.tokens(), before)


def test_vanished_namespace(host, work):
    netns = pod_network.NamedNetns(work / "gone")
    netns.close()
    assert "step netns" in refusal(host, netns, "gone")
