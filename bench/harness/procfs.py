"""Processes seen through /proc: memory by mapping, CPU time in nanoseconds, descendants."""
import os
import pathlib
import re

_HEAD = re.compile(r"^[0-9a-f]+-[0-9a-f]+ (\S+) \S+ \S+ \S+\s*(.*)$")


def read(pid, name):
    return pathlib.Path(f"/proc/{pid}/{name}").read_text(errors="replace")


def rollup(pid):
    """smaps_rollup as {"Pss": bytes, "Rss": bytes, "Pss_Shmem": bytes, ...}."""
    rows = (line.split() for line in read(pid, "smaps_rollup").splitlines()[1:])
    return {row[0].rstrip(":"): int(row[1]) * 1024 for row in rows}


def mappings(pid):
    """[{"name", "mode", "Pss", "Rss"}] of all mappings, sizes in bytes."""
    found = []
    for line in read(pid, "smaps").splitlines():
        head = _HEAD.match(line)
        if head:
            found.append({"mode": head[1], "name": head[2]})
        elif line.startswith(("Pss:", "Rss:")):
            key, size = line.split()[:2]
            found[-1][key.rstrip(":")] = int(size) * 1024
    return found


def is_guest_ram(mapping):
    """QEMU's memory back ends, seen in the VMM and in each vhost-user helper that maps them."""
    return mapping["name"].startswith(("/memfd:memory-backend", "/dev/shm/", "/dev/hugepages/"))


def is_translation_buffer(mapping):
    """Where TCG keeps its generated code; nothing else in QEMU is writable and executable at once."""
    return mapping["mode"].startswith("rwx") and not mapping["name"]


def host_side(found):
    """(guest RAM, translated code, the rest) of mappings(), in bytes of Pss."""
    ram = sum(each["Pss"] for each in found if is_guest_ram(each))
    code = sum(each["Pss"] for each in found if is_translation_buffer(each))
    return ram, code, sum(each["Pss"] for each in found) - ram - code


def children(pid):
    found = []
    for task in os.listdir(f"/proc/{pid}/task"):
        found += [int(word) for word in read(pid, f"task/{task}/children").split()]
    return found


def tree(pid):
    """The process and all its descendants."""
    found = [pid]
    for parent in found:
        try:
            found += children(parent)
        except OSError:
            pass  # ended meanwhile
    return found


def processes(pid):
    """{pid: name} of the process and all its descendants."""
    return {each: read(each, "comm").strip() for each in tree(pid)}


def vmm(shim):
    """QEMU among the descendants of the shim; None when there is none (runc's shim)."""
    return next((pid for pid, name in processes(shim).items() if name.startswith("qemu-system")), None)


def command_line(pid):
    return [word.decode() for word in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[:-1]]


def cpu_seconds(pid):
    """CPU time of the living threads (nanosecond counters) and of the reaped children (in ticks)."""
    total = sum(int(read(pid, f"task/{task}/schedstat").split()[0]) for task in os.listdir(f"/proc/{pid}/task"))
    stat = read(pid, "stat").rpartition(")")[2].split()
    ticks = int(stat[13]) + int(stat[14])
    return total / 1e9 + ticks / os.sysconf("SC_CLK_TCK")


def exists(pid):
    try:
        return read(pid, "stat").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
