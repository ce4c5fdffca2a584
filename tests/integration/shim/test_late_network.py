"""Interfaces that come after create (as Docker plugs them) and go while the container runs."""
import time

import pytest

from bed import containerd as cd
from bed import fifo, pod_network, run, shim

pytestmark = pytest.mark.skipif(cd.kata_runtime() == cd.RUNC, reason="runc has nothing to plug")


@pytest.fixture
def network(work):
    made = pod_network.PodNetwork(work, "late")
    made.peer.ip("addr", "add", "10.124.0.1/24", "dev", "br0")
    yield made
    made.close()


def answers(network, address, seconds=2):
    return network.peer.run("busybox", "ping", "-c", "1", "-W", str(seconds), address).code == 0


def tied(network, name):
    """Whether frames of the interface go to the VM: until then the host itself answers for it."""
    return "tap" in network.pod.tc("filter", "show", "dev", name, "parent", "ffff:")


def reached_the_guest(network, name, address):
    run.wait_until(lambda: tied(network, name), 20, f"{name} is tied to the VM", interval=0.2)
    run.wait_until(lambda: answers(network, address), 60, f"{name} reached the guest", interval=0.2)


def default_route_works(network):
    """The answer to an address that only the default route leads to."""
    return network.peer.run("busybox", "ping", "-c", "1", "-W", "30", "-I", "203.0.113.1", "10.123.0.2").code == 0


def test_interfaces_come_and_go(host, network, created, tmp_path):
    linux = pod_network.linux_of(shim.spec([])["linux"], network.pod, f"/{host.namespace}/late")
    network.peer.ip("addr", "add", "203.0.113.1/32", "dev", "br0")
    item = created(["sh", "-c", "ip route; cat /sys/class/net/eth0/address; exec sleep 1000"], linux=linux)
    out = fifo.Output(tmp_path / "out")
    item.create(stdout=out.path)
    network.add_nic("eth0", ["10.123.0.2/24"], mac="02:00:00:00:00:17")
    network.pod.ip("route", "add", "default", "via", "10.123.0.1")
    item.task.start(item.id)
    # The workload never runs without what was there at its start: its first command sees it.
    out.expect(b"02:00:00:00:00:17\n", 60)
    assert b"default via 10.123.0.1 dev eth0" in out.read()
    assert default_route_works(network)

    network.add_nic("net1", ["10.124.0.2/24"])
    reached_the_guest(network, "net1", "10.124.0.2")
    assert default_route_works(network)
    network.pod.ip("link", "del", "net1")
    run.wait_until(lambda: "tap1_kata" not in network.pod.ip("link"), 20, "net1 left the VM", interval=0.2)
    assert default_route_works(network)
    out.close()


def test_an_mtu_that_cannot_be_had_is_told_once(host, network, created):
    network.add_nic("eth0", ["10.123.0.2/24"])
    linux = pod_network.linux_of(shim.spec([])["linux"], network.pod, f"/{host.namespace}/wide")
    item = created(["sleep", "1000"], linux=linux)
    item.create()
    item.task.start(item.id)
    network.add_nic("net1", ["10.125.0.2/24"], mtu=65535)
    said = []  # host.log() gives what is new

    def told():
        said.append(host.log(item.id))
        return "".join(said).count("its MTU 65535")

    run.wait_until(told, 20, "the log says so", interval=0.2)
    # Another change is looked at, and the bad one is not tried again.
    network.add_nic("net2", ["10.124.0.2/24"])
    reached_the_guest(network, "net2", "10.124.0.2")
    assert told() == 1


def test_a_namespace_that_only_the_pid_shows(network, created):
    """Docker: no path in the spec; the namespace is found by the pid that create answers with."""
    item = created(["sleep", "1000"])
    pid = item.create()
    own, network.pod = network.pod, pod_network.NamedNetns.of_process(pid)
    try:
        network.add_nic("eth0", ["10.123.0.2/24"])
        item.task.start(item.id)
        assert answers(network, "10.123.0.2", 30)
    finally:
        network.pod = own


def test_an_interface_that_cannot_be_had_harms_nothing(host, network, created):
    network.add_nic("eth0", ["10.123.0.2/24"])
    linux = pod_network.linux_of(shim.spec([])["linux"], network.pod, f"/{host.namespace}/odd")
    item = created(["sleep", "1000"], linux=linux)
    item.create()
    item.task.start(item.id)
    network.pod.ip("tuntap", "add", "dev", "wg0", "mode", "tun")
    network.pod.ip("addr", "add", "192.0.2.1/24", "dev", "wg0")
    run.wait_until(lambda: "carries no Ethernet frames" in host.log(item.id), 20, "the log says so", interval=0.2)
    assert answers(network, "10.123.0.2", 30)


@pytest.mark.parametrize("delay", [0, 0.05, 0.3, 1])
def test_an_interface_that_vanishes_while_it_is_plugged(host, network, created, delay):
    linux = pod_network.linux_of(shim.spec([])["linux"], network.pod, f"/{host.namespace}/vanish")
    network.add_nic("eth0", ["10.123.0.2/24"])
    item = created(["sleep", "1000"], linux=linux)
    item.create()
    item.task.start(item.id)
    network.add_nic("net1", ["10.124.0.2/24"])
    time.sleep(delay)
    network.pod.ip("link", "del", "net1")
    # The next one works, and nothing of the vanished one stays.
    network.add_nic("net2", ["10.124.0.3/24"])
    reached_the_guest(network, "net2", "10.124.0.3")
    assert answers(network, "10.123.0.2", 30)
    run.wait_until(lambda: network.pod.ip("link").count("_kata") == 2, 20, "only the taps of eth0 and net2 are left", interval=0.2)


def cpu_ticks(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        return sum(int(word) for word in file.read().rpartition(")")[2].split()[11:13])


def test_the_interface_of_the_boot_goes(host, network, created, tmp_path):
    """As with CRI-O, which takes the network down before the containers: nothing is wrong, the host has no tap any more, the
    guest's link is down, and the VMM does not turn on a descriptor that is always readable."""
    network.add_nic("eth0", ["10.123.0.2/24"])
    linux = pod_network.linux_of(shim.spec([])["linux"], network.pod, f"/{host.namespace}/first")
    item = created(["sh", "-c", "until grep -q 0 /sys/class/net/eth0/carrier; do sleep 0.2; done; echo down; exec sleep 1000"], linux=linux)
    out = fifo.Output(tmp_path / "out")
    vmm = item.create(stdout=out.path)
    item.task.start(item.id)
    network.pod.ip("link", "del", "eth0")
    out.expect(b"down\n", 30)
    said = []

    def told():
        said.append(host.log(item.id))
        return "without a link" in said[-1]

    run.wait_until(told, 20, "the log says so", interval=0.2)
    run.wait_until(lambda: "tap0_kata" not in network.pod.ip("link"), 20, "the tap is gone", interval=0.2)
    said.append(host.log(item.id))
    assert "level=error" not in "".join(said)
    before = cpu_ticks(vmm)
    time.sleep(2)
    assert cpu_ticks(vmm) - before < 100, "ticks of 10 ms in 2 s"
    out.close()
