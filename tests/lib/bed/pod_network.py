"""Network namespaces of the tests' own: a pod's, and one that plays the host with a bridge."""
import pathlib
import re
import subprocess

from bed import run


class NamedNetns:
    """A network namespace kept by a mount on a file; close() lets it go with all its links."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.path.touch()
        run.run(["unshare", f"--net={self.path}", "ip", "link", "set", "lo", "up"]).ok()

    def argv(self, *command):
        # Not `ip netns exec`: its fresh /sys would hide the control groups.
        return ["nsenter", f"--net={self.path}", *command]

    def run(self, *command, **options):
        return run.run(self.argv(*command), **options)

    def ip(self, *command):
        return self.run("ip", *command).ok().out

    def tc(self, *command):
        return self.run("tc", *command).ok().out

    def background(self, *command, **streams):
        return run.Background(self.argv(*command), **streams)

    def state(self):
        """Everything that a runtime must leave as it was: links, addresses, routes, traffic control."""
        # Duplicate detection goes on by itself.
        addresses = re.sub(" tentative| dadfailed", "", self.ip("-o", "addr"))
        return {"addresses": addresses, "routes": self.ip("route") + self.ip("-6", "route"),
                "qdiscs": self.tc("qdisc", "show")}

    @classmethod
    def of_process(cls, pid):
        """The namespace of a process; it is not ours to close."""
        found = cls.__new__(cls)
        found.path = pathlib.Path(f"/proc/{pid}/ns/net")
        return found

    def close(self):
        subprocess.run(["umount", "-l", self.path], stderr=subprocess.DEVNULL, check=False)
        self.path.unlink(missing_ok=True)


class PodNetwork:
    """A pod's namespace and a peer's: veth pairs from `pod` to ports of the peer's bridge `br0`."""

    V4, V6 = "10.123.0.", "fd00:123::"

    def __init__(self, folder, name):
        self.pod = NamedNetns(folder / f"{name}-pod")
        self.peer = NamedNetns(folder / f"{name}-peer")
        # With a MAC of its own: else it changes as ports come and go, and neighbours do not know it any more.
        self.peer.ip("link", "add", "br0", "address", "02:00:00:00:00:fe", "type", "bridge")
        self.peer.ip("link", "set", "br0", "up")
        self.peer.ip("addr", "add", self.V4 + "1/24", "dev", "br0")
        self.peer.ip("-6", "addr", "add", self.V6 + "1/64", "dev", "br0", "nodad")

    def add_nic(self, name="eth0", addresses=(), mtu=1500, mac=None):
        """A veth pair; the pod's end has the addresses, like after a CNI plugin."""
        port = "p-" + name
        more = ["address", mac] if mac else []
        self.pod.ip("link", "add", name, "mtu", str(mtu), *more, "type", "veth",
                    "peer", "name", port, "mtu", str(mtu), "netns", str(self.peer.path))
        self.peer.ip("link", "set", port, "master", "br0", "up")
        for address in addresses:
            more = ["nodad"] if ":" in address else ["brd", "+"]
            self.pod.ip("addr", "add", address, *more, "dev", name)
        self.pod.ip("link", "set", name, "up")
        # The kernel adds this one when it gets to it.
        run.wait_until(lambda: "fe80:" in self.pod.ip("addr", "show", "dev", name), 10, "a link-local address")
        return self

    def flags(self):
        """Options of `ctr run` for a container in the pod's namespace."""
        return ["--with-ns", f"network:{self.pod.path}"]

    def close(self):
        self.pod.close()
        self.peer.close()


def linux_of(linux, netns, cgroup):
    """The `linux` part of a spec with that network namespace and cgroup path."""
    others = [entry for entry in linux["namespaces"] if entry["type"] != "network"]
    return linux | {"cgroupsPath": cgroup, "namespaces": [*others, {"type": "network", "path": str(netns.path)}]}
