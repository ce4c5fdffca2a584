"""`internetworking_model` and `disable_new_netns`: what is made in the namespace, and what gets through."""
import pytest

from bed import containerd as cd
from bed import kata_config, pod_network, shim

pytestmark = pytest.mark.skipif(cd.kata_runtime() == cd.RUNC, reason="runc has no models")


@pytest.fixture
def network(work):
    made = pod_network.PodNetwork(work, "model").add_nic("eth0", ["10.123.0.2/24", "fd00:123::2/64"])
    yield made
    made.close()


def start(host, created, network, name, kind=None, **keys):
    linux = pod_network.linux_of(shim.spec([])["linux"], network.pod, f"/{host.namespace}/{name}")
    config = kata_config.write(host.work / f"{name}.toml", {kata_config.RUNTIME: keys})
    annotations = {"io.kubernetes.cri.container-type": kind} if kind else {}
    item = created(["sleep", "1000"], linux=linux, config_path=config, annotations=annotations)
    item.create()
    item.task.start(item.id)
    return item


def answers(network, address):
    return network.peer.run("busybox", "ping", "-c", "3", "-W", "5", address, timeout=40).code == 0


def test_macvtap(host, network, created):
    before = network.pod.state()
    item = start(host, created, network, "macvtap", internetworking_model="macvtap")
    assert "macvtap mode passthru" in network.pod.ip("-d", "link", "show", "tap0_kata")
    assert answers(network, "10.123.0.2") and answers(network, "fd00:123::2")
    item.end()
    assert network.pod.state() == before


def test_none(host, network, created):
    start(host, created, network, "none", internetworking_model="none")
    assert "tap0_kata" in network.pod.ip("link")
    assert "ingress" not in network.pod.tc("qdisc", "show")


@pytest.mark.parametrize("kind", [None, "sandbox"])
def test_no_network_at_all(host, network, created, kind):
    before = network.pod.state()
    item = start(host, created, network, "off", kind, internetworking_model="none", disable_new_netns=True)
    assert network.pod.state() == before
    item.end()
