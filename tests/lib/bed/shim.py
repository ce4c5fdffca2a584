"""The shim without containerd: bundles of our own, the start and delete verbs, an event sink."""
import itertools
import json
import os
import pathlib
import shutil

from bed import containerd, image, kata_config, leaks, places, run, task, ttrpc

CAPS = ["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_KILL", "CAP_SETGID", "CAP_SETUID", "CAP_NET_BIND_SERVICE"]


def spec(args, **changes):
    """A complete small OCI configuration; `changes` replace top-level keys."""
    mounts = [("/proc", "proc", "proc", []), ("/dev", "tmpfs", "tmpfs", ["nosuid", "mode=755", "size=65536k"]),
              ("/sys", "sysfs", "sysfs", ["ro"])]
    return {
        "ociVersion": "1.0.2",
        "process": {"args": args, "cwd": "/", "env": ["PATH=/bin"], "user": {"uid": 0, "gid": 0},
                    "capabilities": {name: CAPS for name in ("bounding", "effective", "permitted")}},
        "root": {"path": "rootfs"},
        "mounts": [{"destination": d, "type": t, "source": s, "options": o} for d, t, s, o in mounts],
        "linux": {"namespaces": [{"type": t} for t in ("pid", "ipc", "uts", "mount", "network")]},
        **changes,
    }


class Host:
    """Plays containerd towards shims. `namespace` is the token of everything that is made here."""

    def __init__(self, work, rootfs):
        self.work, self.rootfs = pathlib.Path(work), rootfs
        self.work.mkdir(parents=True)
        self.namespace = f"ks{os.getpid()}{self.work.name}"
        self.address = str(self.work / "c.sock")
        self.sink = ttrpc.EventSink(self.address + ".ttrpc")
        self.config = self.work / "kata.toml"
        self.binary = places.shim()
        if containerd.kata_runtime() == containerd.RUNC:
            self.binary = pathlib.Path(shutil.which("containerd-shim-runc-v2"))
        else:
            kata_config.write(self.config)
        self._numbers = itertools.count(1)
        self._logs = {}

    def tokens(self):
        return (str(self.work), self.namespace)

    def environment(self, **more):
        return {"PATH": f"{places.bin_dir()}:/usr/sbin:/usr/bin:/sbin:/bin", "TTRPC_ADDRESS": self.address + ".ttrpc",
                "GOMAXPROCS": "2", "KATA_CONF_FILE": str(self.config), **more}

    def bundle(self, args, id=None, **changes):
        """(id, folder) of a new bundle whose root folder is a copy of the image's."""
        id = id or f"{self.namespace}-{next(self._numbers)}"
        folder = self.work / "bundles" / id
        folder.mkdir(parents=True)
        image.copy_rootfs(self.rootfs, folder / "rootfs")
        os.mkfifo(folder / "log", 0o700)
        # As containerd does it; nobody reads until log(), and a full fifo must not stop the shim.
        self._logs[id] = os.open(folder / "log", os.O_RDWR | os.O_NONBLOCK)
        linux = spec(args)["linux"] | {"cgroupsPath": f"/{self.namespace}/{id}"}
        (folder / "config.json").write_text(json.dumps(spec(args, **{"linux": linux, **changes})))
        return id, folder

    def log(self, id):
        """What the shim logged, up to the first 64 KiB."""
        try:
            return os.read(self._logs[id], 1 << 16).decode(errors="replace")
        except BlockingIOError:
            return ""

    def verb(self, id, folder, *action, flags=(), timeout=30, stdin=None, text=True, **environment):
        """Runs the shim as containerd does: both output streams as they come."""
        return run.run([self.binary, "-namespace", self.namespace, "-address", self.address, "-publish-binary",
                        "/usr/bin/containerd", "-id", id, *flags, *action], cwd=folder, timeout=timeout,
                       stdin=stdin, text=text, env=self.environment(**environment))

    def start(self, id, folder, **environment):
        """The shim's address after `start`."""
        result = self.verb(id, folder, "start", **environment).ok()
        return (result.out + result.err).strip()

    def delete(self, id, folder):
        """The result's output is the bytes of a DeleteResponse."""
        return self.verb(id, folder, "delete", flags=["-bundle", str(folder)], text=False)

    def connect(self, id, folder, **environment):
        return task.Task(self.start(id, folder, **environment))

    def close(self):
        """What is left behind, as lines. The last shim may still be telling its last events."""
        left = leaks.wait_gone(self.tokens())
        self.sink.close()
        for handle in self._logs.values():
            os.close(handle)
        leaks.sweep(self.tokens())
        shutil.rmtree(self.work, ignore_errors=True)
        return left
