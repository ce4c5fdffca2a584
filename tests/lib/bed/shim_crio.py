"""CRI-O towards the shim: its arguments, environment, bundles, fifos and order of calls."""
import json
import os
import secrets

from bed import fifo, image, run, shim, shim_pod, task

ADDRESS_AT_MOST = 200


class Container:
    """One container, the first of a pod unless `sandbox` names one. `task` is its own connection, as in CRI-O.

    The bundle has no root folder in it and no containerd around it; events go nowhere.
    """

    def __init__(self, host, args, sandbox=None, stdin=False, terminal=False, config=True, **changes):
        self.host, self.id, self.terminal, self.closed = host, secrets.token_hex(32), terminal, False
        store = host.work / "crio" / self.id
        self.bundle, self.config = store / "userdata", host.config if config else ""
        self.bundle.mkdir(parents=True)
        root = image.copy_rootfs(host.rootfs, store / "merged")
        kind = "container" if sandbox else "sandbox"
        annotations = shim_pod.annotations(kind, sandbox.id if sandbox else self.id, "CRI-O") | changes.pop("annotate", {})
        spec = shim.spec(args)
        spec["linux"] |= {"cgroupsPath": f"/{host.namespace}/crio-{self.id}"} | changes.pop("linux", {})
        spec |= {"root": {"path": str(root)}, "annotations": annotations | {"io.container.manager": "cri-o"}} | changes
        spec["process"]["terminal"] = terminal
        (self.bundle / "config.json").write_text(json.dumps(spec))
        self.log = fifo.Output(self.bundle / "log")
        folder = host.work / "vc" / "crio" / "fifo" / secrets.token_hex(4)
        folder.mkdir(parents=True)
        self.out = fifo.Output(folder / f"{self.id}-stdout")
        self.err = None if terminal else fifo.Output(folder / f"{self.id}-stderr")
        self.stdin = fifo.Input(folder / f"{self.id}-stdin") if stdin else None
        self.task = task.Task(self.start_shim())

    def start_shim(self):
        """Whatever the program says on both streams together is taken for the address."""
        own = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "GOMAXPROCS": "2", "MAX_SHIM_VERSION": "2",
               "TTRPC_ADDRESS": "", "GRPC_ADDRESS": "", "NAMESPACE": "default"}
        result = run.run([self.host.binary, "-namespace", "default", "-address", "", "-publish-binary", "/usr/bin/crio",
                          "-id", self.id, "-debug", "start"], cwd=self.bundle, timeout=30, env=own).ok()
        assert not result.err and len(result.out) < ADDRESS_AT_MOST, result.describe()
        return result.out.strip()

    def streams(self):
        return {name: stream.path for name, stream in (("stdin", self.stdin), ("stdout", self.out), ("stderr", self.err)) if stream}

    def create(self):
        return self.task.create(self.id, self.bundle, terminal=self.terminal, config_path=self.config, **self.streams())

    def start(self):
        """CRI-O waits from the start on; the answer is in `waiting`."""
        self.task.start(self.id)
        self.waiting = self.task.begin("Wait", id=self.id)
        return self

    def exec(self, args, folder, kill=False):
        """(status, output) of a process; its fifos are made for it and vanish with it."""
        id = secrets.token_hex(32)
        streams = {name: fifo.Output(folder / f"{id}-{name}") for name in ("stdout", "stderr")}
        self.task.exec(self.id, id, args, **{name: stream.path for name, stream in streams.items()})
        self.task.start(self.id, id)
        if kill:
            self.task.kill(self.id, 9, id)
        status = self.task.wait(self.id, id)
        if not kill:
            streams["stdout"].wait_end()
            self.task.call("Delete", id=self.id, exec_id=id)
        for stream in streams.values():
            stream.close()
        return status, streams["stdout"].data

    def stop(self, signal=15):
        """The stop signal, then SIGKILL; an error of any of the calls fails the stop in CRI-O."""
        ended = self.task.begin("Wait", id=self.id)
        for number in (signal, 9):
            self.task.kill(self.id, number)
        return self.task.client.finish(ended)

    def remove(self):
        self.task.call("Delete", id=self.id)
        self.task.call("Shutdown", id=self.id)
        self.close()

    def close(self):
        self.closed = True
        for stream in (self.log, self.out, self.err, self.stdin):
            if stream:
                stream.close()
        self.task.client.close()
