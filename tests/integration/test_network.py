"""A container's network is that of its namespace, seen from both sides; seed 004 has the shape of the redirects."""
import os
import re
import signal

import pytest

from bed import containerd as cd
from bed import leaks, pod_network, run

PRIMARY_ONLY = True
VICTIMS = {"vmm": "qemu-system", "shim": "containerd-shim-kata"}
KATA_ONLY = pytest.mark.skipif(cd.kata_runtime() == cd.RUNC, reason="runc has no tap")


@pytest.fixture
def network(work):
    made = pod_network.PodNetwork(work, "net")
    yield made
    made.close()


@pytest.fixture
def eth0(network):
    network.add_nic("eth0", ["10.123.0.2/24", "fd00:123::2/64"])
    network.pod.ip("route", "add", "default", "via", "10.123.0.1")
    network.pod.ip("-6", "route", "add", "default", "via", "fd00:123::1")
    return network


def test_container_reaches_its_peer(containerd, eth0, clean):
    before = eth0.pod.state()
    script = "ping -c 2 -W 20 10.123.0.1 && ping -6 -c 2 -W 20 fd00:123::1 && cat /sys/class/net/eth0/address"
    out = containerd.run("sh", "-c", script, flags=eth0.flags()).ok().out
    assert out.count("2 packets received") == 2
    assert out.splitlines()[-1] in eth0.pod.ip("link", "show", "eth0")
    assert eth0.pod.state() == before


def test_tcp_both_ways(containerd, eth0, container, work):
    (work / "www").mkdir(exist_ok=True)
    (work / "www" / "page").write_text("from the peer\n" * 10000)
    server = eth0.peer.background("busybox", "httpd", "-f", "-p", "10.123.0.1:80", "-h", str(work / "www"))
    try:
        id = container("sh", "-c", "nc -l -p 99 -e cat", flags=eth0.flags())
        page = containerd.exec(id, "wget", "-q", "-O", "-", "http://10.123.0.1/page").ok().out
        assert page == "from the peer\n" * 10000
        echo = eth0.peer.run("busybox", "nc", "-w", "10", "10.123.0.2", "99", stdin="hello\n", timeout=30)
        assert echo.out == "hello\n", echo.describe()
    finally:
        server.close()


@KATA_ONLY
def test_redirects_have_the_known_shape(containerd, eth0, container):
    container("sleep", "1000", flags=eth0.flags())
    assert re.search(r"tap0_kata: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc mq ",
                     eth0.pod.ip("link", "show", "tap0_kata"))
    for link, other in (("eth0", "tap0_kata"), ("tap0_kata", "eth0")):
        assert re.search(r"^qdisc ingress ffff: parent ffff:fff1 -+", eth0.pod.tc("qdisc", "show", "dev", link), re.M)
        filters = eth0.pod.tc("filter", "show", "dev", link, "parent", "ffff:")
        # Older versions of tc say "flowid ???".
        words = re.sub(r"index \d+", "index N", " ".join(filters.split())).replace("flowid ???", "flowid")
        assert words == (
            "filter protocol all pref 49152 u32 chain 0 "
            "filter protocol all pref 49152 u32 chain 0 fh 800: ht divisor 1 "
            "filter protocol all pref 49152 u32 chain 0 fh 800::800 order 2048 key ht 800 bkt 0 terminal "
            "flowid not_in_hw match 00000000/00000000 at 0 "
            f"action order 1: mirred (Egress Redirect to device {other}) stolen index N ref 1 bind 1")


def seen(text):
    """Addresses and routes without what differs between any two network stacks."""
    text = re.sub(r"^\d+: |@if\d+|\\ .*| proto \w+| pref medium", "", text, flags=re.M)
    return sorted(" ".join(line.split()) for line in text.splitlines())


def test_everything_is_as_under_runc(containerd, eth0):
    """Second NIC, odd MTU, routes of each form, static neighbours: compared with runc in the same namespace."""
    if cd.kata_runtime() == cd.RUNC:
        pytest.skip("compares with runc")
    eth0.add_nic("net1", ["10.124.0.2/30", "10.125.0.7/32"], mtu=9000, mac="02:00:00:00:00:77")
    for route in ("10.126.0.0/16 via 10.124.0.1 dev net1", "10.127.0.0/16 dev net1 scope link",
                  "10.128.0.0/16 via 169.254.1.1 dev net1 onlink", "10.129.0.0/16 dev net1 mtu 1400",
                  "10.130.0.0/16 dev net1 src 10.125.0.7"):
        eth0.pod.ip("route", "add", *route.split())
    eth0.pod.ip("neigh", "add", "10.124.0.1", "lladdr", "02:00:00:00:00:01", "dev", "net1", "nud", "permanent")
    for question in ("ip -o addr show scope global | cat", "ip route", "ip -6 route",
                     "cat /sys/class/net/net1/address /sys/class/net/net1/mtu /sys/class/net/eth0/mtu",
                     "grep -c 02:00:00:00:00:01 /proc/net/arp"):
        answers = [seen(containerd.run("sh", "-c", question, runtime=runtime, flags=eth0.flags()).ok().out)
                   for runtime in (cd.RUNC, cd.kata_runtime())]
        assert answers[0] == answers[1], question


@KATA_ONLY
@pytest.mark.parametrize("victim", ["shim", "vmm"])
def test_nothing_stays_after_a_kill(containerd, eth0, victim):
    before = eth0.pod.state()
    id = containerd.new_id()
    containerd.start_detached("sleep", "1000", id=id, flags=eth0.flags())
    assert eth0.pod.state() != before
    for pid, line in leaks.processes((id,)).items():
        if VICTIMS[victim] in line.split(" ")[0]:
            os.kill(pid, signal.SIGKILL)
    run.wait_until(lambda: containerd.task_status(id) in ("STOPPED", None, "UNKNOWN"), 20, "the end is seen")
    containerd.remove(id)
    run.wait_until(lambda: eth0.pod.state() == before, 10, "the namespace is as it was")
    assert "2 packets received" in containerd.run("ping", "-c", "2", "10.123.0.1", flags=eth0.flags()).ok().out
