"""vCPUs come with a container that has a CPU limit, and go with it."""
import os
import pathlib

from bed import kata_config, shim
from bed import run as bed_run
from bed.shim_pod import Member, annotations

ONE_CPU = {"cpu": {"quota": 100000, "period": 100000}}
LIMIT = 120  # a guest in an emulated VM takes its time to let go


def vcpu_threads(vmm):
    names = [pathlib.Path(f"/proc/{vmm}/task/{task}/comm").read_text() for task in os.listdir(f"/proc/{vmm}/task")]
    return sum(name.startswith("CPU ") for name in names)


def online_in_guest(sandbox, id, numbers):
    """The exit status of a process tells it."""
    exec_id = f"count{next(numbers)}"
    sandbox.exec(id, exec_id, ["sh", "-c", "exit $(grep -c ^processor /proc/cpuinfo)"])
    sandbox.start(id, exec_id)
    count = sandbox.wait(id, exec_id, timeout=LIMIT)
    sandbox.call("Delete", id=id, exec_id=exec_id)
    return count


def run(work, rootfs, say):
    host = shim.Host(work, rootfs)
    kata_config.write(host.config, {kata_config.QEMU: {"accel": "kvm", "default_maxvcpus": 2}})
    id, folder = host.bundle(["sleep", "1000"], annotations=annotations("sandbox"))
    numbers = iter(range(100))
    seen = []
    with host.connect(id, folder) as sandbox:
        vmm = sandbox.create(id, folder, timeout=240)
        sandbox.start(id)
        seen.append((vcpu_threads(vmm), online_in_guest(sandbox, id, numbers)))
        for _ in range(2):  # what was taken away can be given again
            member = Member(host, id, ["sleep", "1000"], resources=ONE_CPU)
            member.create_and_start(timeout=240)
            seen.append((vcpu_threads(vmm), online_in_guest(sandbox, id, numbers)))
            member.end()
            try:
                bed_run.wait_until(lambda: vcpu_threads(vmm) == 1, LIMIT, "the vCPU goes", interval=0.2)
            except AssertionError:
                pass  # the count says so
            host.delete(member.id, member.folder)
            seen.append((vcpu_threads(vmm), online_in_guest(sandbox, id, numbers)))
        say("vcpus", seen)
        say("vcpus log", host.log(id)[-6000:])
        sandbox.code("Kill", [(3, 9), (4, True)], id=id)
        sandbox.code("Wait", id=id, timeout=LIMIT)
        sandbox.code("Delete", id=id)
        sandbox.code("Shutdown", id=id)
    host.delete(id, folder)
    say("vcpus left", host.close())
