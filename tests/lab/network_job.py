"""A container in a network namespace: its interface is served by the kernel's vhost-net."""
import os
import pathlib

from bed import pod_network, victims

SIZE = 4 << 20


def workers(vmm):
    """{pid: time on a CPU} of the kernel's threads that serve this VMM: vsock, and each queue of the network."""
    found = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        folder = pathlib.Path("/proc") / pid
        try:
            if (folder / "comm").read_text().strip() == f"vhost-{vmm}":
                found[pid] = int((folder / "schedstat").read_text().split()[0])
        except OSError:
            pass  # ended meanwhile
    return found


def run(daemon, work, say):
    (work / "www").mkdir()
    (work / "www" / "page").write_bytes(bytes(SIZE))
    network = pod_network.PodNetwork(work, "net")
    network.add_nic("eth0", [network.V4 + "2/24"])
    before = network.pod.state()
    server = network.peer.background("busybox", "httpd", "-f", "-p", network.V4 + "1:80", "-h", str(work / "www"))
    id = daemon.new_id("net")
    try:
        daemon.start_detached("sleep", "1000", id=id, flags=network.flags())
        [vmm] = victims.pids(daemon, id, "vmm")
        devices = [os.readlink(f"/proc/{vmm}/fd/{fd}") for fd in os.listdir(f"/proc/{vmm}/fd")]
        at_rest = workers(vmm)
        done = daemon.exec(id, "sh", "-c", f"wget -q -O - http://{network.V4}1/page | wc -c", timeout=120)
        say("network", {
            "size": done.out.strip(), "err": done.err,
            "vhost=on": [word for word in pathlib.Path(f"/proc/{vmm}/cmdline").read_text().split("\0")
                         if "vhost=on" in word],
            "vhost-net open": "/dev/vhost-net" in devices,
            "work of each worker": [time - at_rest[pid] for pid, time in workers(vmm).items()],
            "links": network.pod.ip("-o", "link"),
        })
    finally:
        daemon.remove(id)
        server.close()
    say("network left", [network.pod.state() != before])
    network.close()
