"""What the kernel says of the processes of a running pod."""
import os
import pathlib

from bed import leaks


def status(pid):
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


def check_helpers(id):
    """VMM and virtiofsd have a seccomp filter and no new privileges, and virtiofsd sees only the share of `id`."""
    found = leaks.processes((id,))
    vmm = [pid for pid, line in found.items() if "qemu-system" in line.split(" ")[0]]
    # The daemon that was started keeps watch; its child serves the guest.
    daemons = [pid for pid, line in found.items() if "virtiofsd" in line.split(" ")[0]]
    workers = [pid for pid in daemons if int(status(pid)["PPid"]) in daemons]
    assert len(vmm) == 1 and len(workers) == 1, found
    for pid in vmm + workers:
        assert status(pid)["Seccomp"] == "2" and status(pid)["NoNewPrivs"] == "1", found[pid]
    share = sorted(os.listdir(f"/proc/{workers[0]}/root"))
    # Beside them the folder of volumes that the guest has to watch.
    assert all(name.startswith(id) or name == "watchable" for name in share), f"virtiofsd sees {share}"
