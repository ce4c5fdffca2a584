"""Where the processes of a sandbox are among the host's control groups, and that nothing of it stays.

KATA_CONTAINERD chooses the daemon; both cgroup versions of the host are fine.
"""
import json
import os
import pathlib
import re
import signal

import pytest

from bed import containerd as cd
from bed import kata_config, leaks, run, task, ttrpc, victims

PRIMARY_ONLY = True

if cd.kata_runtime() == cd.RUNC:
    pytest.skip("runc places the container itself", allow_module_level=True)

UNIFIED = os.path.exists("/sys/fs/cgroup/cgroup.controllers")
CPUSET = "" if UNIFIED else "cpuset"


def groups(pid, thread=None):
    """{controller: path}; the unified hierarchy is ''."""
    path = f"/proc/{pid}/task/{thread}/cgroup" if thread else f"/proc/{pid}/cgroup"
    found = {}
    for line in pathlib.Path(path).read_text().splitlines():
        _number, names, where = line.split(":", 2)
        if names or UNIFIED:
            found.update({name: where for name in names.split(",") if not name.startswith("name=")})
    return found


def vcpu_threads(pid):
    tasks = pathlib.Path(f"/proc/{pid}/task")
    return [task.name for task in tasks.iterdir() if (task / "comm").read_text().startswith("CPU ")]


@pytest.fixture
def config(containerd, tmp_path):
    def make(only, **runtime):
        return kata_config.write(tmp_path / f"{only}.toml",
                                 {kata_config.RUNTIME: {"sandbox_cgroup_only": only, **runtime}})
    return make


@pytest.fixture
def sandbox(containerd, config, clean):
    ids = []

    def start(only, *flags):
        id = containerd.new_id("cg")
        ids.append(id)
        containerd.start_detached("sleep", "1000", id=id, flags=["--runtime-config-path", config(only), *flags])
        return id, {name: victims.pids(containerd, id, name) for name in victims.HOST}

    yield start
    for id in ids:
        containerd.remove(id)


def test_all_in_the_group_of_the_spec(containerd, sandbox):
    id, pids = sandbox(True)
    wanted = f"/{containerd.namespace}/kata_{id}"
    for name, numbers in pids.items():
        assert numbers, name
        for pid in numbers:
            assert set(groups(pid).values()) == {wanted}, (name, groups(pid))
    for thread in vcpu_threads(pids["vmm"][0]):
        assert set(groups(pids["vmm"][0], thread).values()) == {wanted}


def test_helpers_apart_from_vcpus(containerd, sandbox):
    id, pids = sandbox(False)
    overhead, own = f"/kata_overhead/{id}", f"/{containerd.namespace}/kata_{id}"
    for name, numbers in pids.items():
        for pid in numbers:
            assert set(groups(pid).values()) == {overhead}, (name, groups(pid))
    threads = vcpu_threads(pids["vmm"][0])
    assert threads
    for thread in threads:
        found = groups(pids["vmm"][0], thread)
        if not UNIFIED:  # its threads cannot be in two places
            assert {found[name] for name in ("cpu", "cpuacct", "cpuset")} == {own}
            assert found["memory"] == overhead


@pytest.mark.parametrize("only", [True, False])
def test_nothing_stays_after_kill_9(containerd, sandbox, only):
    """The shim is killed; containerd's `delete` replays the journal."""
    before = leaks.Snapshot(containerd.tokens())
    id, pids = sandbox(only)
    assert any(id in folder for folder in leaks.cgroups((id,)))
    for pid in pids["shim"]:
        os.kill(pid, signal.SIGKILL)
    run.wait_until(lambda: containerd.task_status(id) in (None, "STOPPED", "UNKNOWN"), 20, "the end is seen")
    containerd.remove(id)
    left = leaks.wait_clean(containerd.tokens(), before, 20)
    assert not left, "\n".join(left)


def update(containerd, id, resources):
    with task.Task(containerd.shim_socket(id)) as shim:
        shim.call("Update", task.any_json(2, task.RESOURCES_URL, resources), id=id)


def test_host_cpus_bind_the_vcpus(containerd, sandbox):
    id, pids = sandbox(True)
    update(containerd, id, {"cpu": {"cpus": "0"}})
    group = pathlib.Path(f"/sys/fs/cgroup/{CPUSET}/{containerd.namespace}/kata_{id}")
    assert (group / "cpuset.cpus").read_text() == "0\n"
    for thread in vcpu_threads(pids["vmm"][0]):
        assert os.sched_getaffinity(int(thread)) == {0}
    for bad, text in (("4096", "the host has only the CPUs"), ("zero", "no list of CPUs")):
        with pytest.raises(ttrpc.CallError, match=text):
            update(containerd, id, {"cpu": {"cpus": bad}})
    assert (group / "cpuset.cpus").read_text() == "0\n"
    assert containerd.exec(id, "echo", "alive").ok().out == "alive\n"


@pytest.mark.parametrize("changes, text", [
    ({"cpu": {"cpus": "0-9999"}}, "linux.resources.cpu.cpus.*the host has only the CPUs"),
    ({"cpu": {"cpus": "-1"}}, "linux.resources.cpu.cpus.*no list of CPUs"),
])
def test_bad_resources_leave_nothing(containerd, rootfs, tmp_path, clean, changes, text):
    spec = json.loads(containerd.ctr("oci", "spec").ok().out)
    spec["root"] = {"path": str(rootfs)}
    spec["process"] |= {"args": ["/bin/true"], "terminal": False}
    spec["linux"]["resources"] |= changes
    path = tmp_path / "config.json"
    path.write_text(json.dumps(spec))
    done = containerd.run_spec(path)
    assert done.code != 0 and re.search(text, done.err), done.describe()


def test_bad_group_is_named(containerd, rootfs, tmp_path, clean):
    spec = json.loads(containerd.ctr("oci", "spec").ok().out)
    spec["root"] = {"path": str(rootfs)}
    spec["process"] |= {"args": ["/bin/true"], "terminal": False}
    spec["linux"]["cgroupsPath"] = "/a/../../b"
    path = tmp_path / "config.json"
    path.write_text(json.dumps(spec))
    done = containerd.run_spec(path)
    assert done.code != 0 and re.search("step cgroup failed.*linux.cgroupsPath", done.err), done.describe()


def test_systemd_form(containerd, rootfs, tmp_path, config, clean):
    """slice:prefix:name is a scope in the folder of its slice."""
    id = containerd.new_id("sd")
    spec = json.loads(containerd.ctr("oci", "spec").ok().out)
    spec["root"] = {"path": str(rootfs)}
    spec["process"] |= {"args": ["/bin/sleep", "1000"], "terminal": False}
    token = containerd.token
    spec["linux"]["cgroupsPath"] = f"{token}-pod1.slice:cri-containerd:{id}"
    path = tmp_path / "config.json"
    path.write_text(json.dumps(spec))
    containerd.ctr("run", "--detach", "--runtime", cd.kata_runtime(), "--runtime-config-path", config(True),
                   "--config", path, id, timeout=90).ok()
    wanted = f"/{token}.slice/{token}-pod1.slice/cri-containerd-{id}.scope"
    for pid in victims.pids(containerd, id, "vmm"):
        assert set(groups(pid).values()) == {wanted}
    containerd.remove(id)
    for folder in reversed(leaks.cgroups((token + ".slice",), whole=True)):  # kubelet's to remove
        os.rmdir(folder)
