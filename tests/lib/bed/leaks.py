"""What the product may leave on a host, seen from outside: snapshots, their difference, and a sweep.

Entries are attributed by tokens (the work folder and the namespace of a private containerd stand
in command lines, environments, mount points, socket owners and cgroup names), because other
work may go on on the same machine. KATA_LEAKS_STRICT=1 also counts entries without a token.
"""
import os
import pathlib
import re
import signal
import subprocess
import time

from bed import run

RUN_FOLDERS = ("/run/containerd/s", "/run/kata-containers", "/run/vc", "/run/kata-cpp", "/var/lib/kata-containers/pods")
# Made once and kept by design: parents of the sandboxes' folders and the node's phase log.
KEPT = {"/run/vc/sbs", "/run/vc/vm", "/run/kata-containers/phases.jsonl"}
STRICT_NAMES = re.compile(r"containerd-shim-|qemu-system-|virtiofsd|kata-")


def strict():
    return os.environ.get("KATA_LEAKS_STRICT") == "1"


def _read(path):
    try:
        return pathlib.Path(path).read_bytes()
    except OSError:
        return b""


def processes(tokens):
    """{pid: command line} of processes that carry a token, zombies included."""
    found = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit() or int(entry) == os.getpid():
            continue
        line = _read(f"/proc/{entry}/cmdline").replace(b"\0", b" ").decode(errors="replace").strip()
        text = line + _read(f"/proc/{entry}/environ").decode(errors="replace")
        if any(token in text for token in tokens) or (strict() and STRICT_NAMES.search(line.split(" ")[0])):
            found[int(entry)] = line
    return found


def mounts(tokens, pid="self"):
    """Mount points with a token in their mountinfo line, deepest last."""
    found = []
    for line in _read(f"/proc/{pid}/mountinfo").decode(errors="replace").splitlines():
        point = line.split()[4].encode().decode("unicode_escape")
        if any(token in line for token in tokens) or (strict() and re.match(r"/run/(kata|vc)", point)):
            found.append(point)
    return found


def cgroups(tokens, whole=False):
    """Folders with a token in their path, in every hierarchy, deepest last.

    A folder named by the token itself is the parent that all containers of a namespace share:
    no runtime removes it, so it counts only when `whole` is set.
    """
    found = []
    for root, folders, _ in os.walk("/sys/fs/cgroup"):
        for name in folders:
            path = os.path.join(root, name)
            if any(token in path for token in tokens) and (whole or name not in tokens):
                found.append(path)
        if root.count("/") > 7:
            folders.clear()
    return found


def run_entries(tokens):
    """Entries of the run folders. A shim's socket is named by a hash, so it counts only when strict."""
    found = []
    for folder in RUN_FOLDERS:
        for root, folders, files in os.walk(folder):
            found += [os.path.join(root, name) for name in folders + files
                      if os.path.join(root, name) not in KEPT
                      and (strict() or any(token in name for token in tokens))]
    return found


def _names(folder):
    try:
        return set(os.listdir(folder))
    except FileNotFoundError:
        return set()


class Snapshot:
    """The state of the host at one moment. `pids` are processes whose descriptors are counted."""

    def __init__(self, tokens, pids=()):
        self.kinds = {
            # The daemon itself may have been restarted in between: it is the bed's, not the product's.
            "process": set(f"{pid} {line}" for pid, line in processes(tokens).items()
                           if os.path.basename(line.split(" ")[0]) not in ("containerd", "crio")),
            "mount": set(mounts(tokens)),
            "cgroup": set(cgroups(tokens)),
            "run": set(run_entries(tokens)),
            "netns": _names("/run/netns"),
            "link": _names("/sys/class/net"),
        }
        self.descriptors = {pid: len(_names(f"/proc/{pid}/fd")) for pid in pids}

    def lines(self):
        """Entries that carry a token (host-wide kinds are only meaningful as a difference)."""
        kinds = ("process", "mount", "cgroup")
        return [f"{kind} {entry}" for kind in kinds for entry in sorted(self.kinds[kind])]

    def added_since(self, before):
        """What is here now and was not there before, as readable lines."""
        found = [f"{kind} {entry}" for kind, entries in self.kinds.items()
                 for entry in sorted(entries - before.kinds[kind])]
        for pid, count in self.descriptors.items():
            if count > before.descriptors.get(pid, count):
                found.append(f"descriptors of {pid}: {before.descriptors[pid]} -> {count}")
        return found


def wait_gone(tokens, timeout=10):
    """Waits until nothing carries a token; the remaining lines (empty when clean)."""
    deadline = time.monotonic() + timeout * run.PATIENCE
    while (left := Snapshot(tokens).lines()) and time.monotonic() < deadline:
        time.sleep(0.1)
    return left


def wait_clean(tokens, before, timeout=10, pids=()):
    """Waits until nothing new is left; the remaining lines (empty when clean)."""
    deadline = time.monotonic() + timeout * run.PATIENCE
    while True:
        added = Snapshot(tokens, pids).added_since(before)
        if not added or time.monotonic() > deadline:
            return added
        time.sleep(0.1)


def sweep(tokens):
    """Ends the processes with a token, by pid, and undoes their mounts and cgroups."""
    for _ in range(3):
        for pid in processes_exact(tokens):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        time.sleep(0.1)
    for point in reversed(mounts(tokens)):
        subprocess.run(["umount", "-l", point], stderr=subprocess.DEVNULL, check=False)
    for folder in reversed(cgroups(tokens, whole=True)):
        try:
            os.rmdir(folder)
        except OSError:
            pass


def processes_exact(tokens):
    """As processes(), but only by token: a sweep must never touch what is not ours."""
    own = set()
    pid = os.getpid()
    while pid > 1:  # this process and its ancestors may carry the work folder in their environment
        own.add(pid)
        pid = int(_read(f"/proc/{pid}/stat").rpartition(b")")[2].split()[1])
    found = {}
    for pid, line in processes(tokens).items():
        text = line + _read(f"/proc/{pid}/environ").decode(errors="replace")
        if pid not in own and any(token in text for token in tokens):
            found[pid] = line
    return found
