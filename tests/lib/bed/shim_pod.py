"""Containers of pods as containerd's CRI plugin and CRI-O announce them to the shim."""
import itertools

from bed import shim, task

_numbers = itertools.count(1)

KEYS = {
    "containerd": ("io.kubernetes.cri.container-type", "io.kubernetes.cri.sandbox-id"),
    "CRI-O": ("io.kubernetes.cri-o.ContainerType", "io.kubernetes.cri-o.SandboxID"),
}


def annotations(kind, sandbox=None, manager="containerd"):
    type_key, sandbox_key = KEYS[manager]
    return {type_key: kind} | ({sandbox_key: sandbox} if sandbox else {})


class Member:
    """A container of the sandbox with that id: its own bundle, `start` and connection, as containerd does it."""

    def __init__(self, host, sandbox, args, manager="containerd", resources=None):
        linux = shim.spec(args)["linux"] | {
            "cgroupsPath": f"/{host.namespace}/{sandbox}-member{next(_numbers)}", "resources": resources or {}}
        self.id, self.folder = host.bundle(args, annotations=annotations("container", sandbox, manager), linux=linux)
        self.address = host.start(self.id, self.folder)
        self.task = task.Task(self.address)

    def create_and_start(self, timeout=120):
        self.task.create(self.id, self.folder, timeout=timeout)
        self.task.start(self.id)

    def end(self):
        self.task.code("Kill", [(3, 9), (4, True)], id=self.id)
        self.task.code("Wait", id=self.id, timeout=30)
        self.task.code("Delete", id=self.id)
        self.task.code("Shutdown", id=self.id)
        self.task.client.close()
