"""Runs cases under one runtime and gives {row: outcome text}; the texts of two runtimes are compared."""
import json
import re
import shutil

from bed import image, run
from parity import case

# The first that matches the error text is its class.
CLASSES = [
    ("not found in the search path", r"executable file not found"),
    ("no such file or directory", r"no such file or directory|ENOENT"),
    ("permission denied", r"permission denied|EACCES"),
    ("exec format error", r"exec format error|ENOEXEC"),
    ("not a directory", r"not a directory|ENOTDIR"),
    ("is a directory", r"is a directory|EISDIR"),
    ("not permitted", r"operation not permitted|EPERM"),
    ("no such device", r"no such device|ENODEV"),
    ("hook", r"hook"),
    ("invalid", r"invalid|unknown|must (not )?be|wrong|not a valid|does not exist|cannot be empty|not in a separate|not separate|malformed|unsupported"),
]


def error_class(text):
    text = text.lower()
    return next((name for name, pattern in CLASSES if re.search(pattern.lower(), text)), "other: " + text[-300:])


class Runner:
    """Makes and runs the containers of cases. `base` is the default OCI configuration of ctr."""

    def __init__(self, daemon, runtime, rootfs, work):
        self.daemon, self.runtime, self.rootfs, self.work = daemon, runtime, rootfs, work
        self.base = json.loads(daemon.ctr("oci", "spec").ok().out)
        self.count = 0

    def outcomes(self, item):
        return {case.Group: self._group, case.Single: self._single, case.Execs: self._execs}[type(item)](item)

    def _prepare(self, item, args):
        """Writes the configuration with a root folder and a host folder of its own; its path."""
        self.count += 1
        folder = self.work / str(self.count)
        bind, root = folder / "bind", folder / "root"
        bind.mkdir(parents=True)
        image.copy_rootfs(self.rootfs, root)
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "BIND": str(bind), "ROOT": str(root)}
        for text in (getattr(item, "host", ""), getattr(item, "rootfs", "")):
            if text:
                run.run(["sh", "-ec", text], env=environment).ok()
        changes = {"root.path": str(root), "process.args": args, "process.env": [image.PATH],
                   "linux.cgroupsPath": f"/{self.daemon.namespace}/parity{self.count}", **item.spec}
        path = folder / "config.json"
        path.write_text(json.dumps(case.patched(self.base, changes, {"@BIND@": str(bind)})))
        return path

    def _done(self):
        shutil.rmtree(self.work / str(self.count), ignore_errors=True)

    def _group(self, item):
        args = ["sh", "-c", case.script(item.probes)]
        if item.image:
            result = self.daemon.run(*args, runtime=self.runtime, flags=item.flags)
        else:
            result = self.daemon.run_spec(self._prepare(item, args), runtime=self.runtime)
            self._done()
        found = case.split(result.out)
        failed = f"exit {result.code}\nnot run\n{result.err[-1500:]}"
        return {f"{item.name}: {name}": f"exit {found[name][0]}\n{found[name][1]}" if name in found else failed
                for name in item.probes}

    def _single(self, item):
        result = self.daemon.run_spec(self._prepare(item, item.args), runtime=self.runtime)
        self._done()
        return {item.name: self._text(result)}

    def _execs(self, item):
        id = self.daemon.new_id("parity")
        path = self._prepare(item, ["sleep", "1000"])
        self.daemon.ctr("run", "--detach", "--runtime", self.runtime, "--config", path, id, timeout=90).ok()
        try:
            return {name: self._text(self.daemon.exec(id, *args, flags=flags))
                    for name, (flags, args) in item.rows.items()}
        finally:
            self.daemon.remove(id)
            self._done()

    @staticmethod
    def _text(result):
        """A start that fails gives ctr's error line, or runc's as the container's last words (an
        exec that fails after Create); its class counts, not its words."""
        error = re.search(r"^(?:ctr: |exec /\S*: )(.*)", result.err, re.MULTILINE | re.DOTALL)
        text = f"exit {result.code}\n{result.out}"
        return text + (f"class {error_class(error.group(1))}" if error else "stderr " + result.err)
