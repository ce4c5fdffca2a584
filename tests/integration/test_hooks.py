"""OCI hooks of the host's side: prestart, createRuntime, poststart and poststop."""
import json
import os
import signal

import pytest

from bed import containerd as cd
from bed import image, leaks, run

PRIMARY_ONLY = True
KATA = cd.kata_runtime() != cd.RUNC
STAGES = ("prestart", "createRuntime", "poststart", "poststop")


def hook(folder, script, **more):
    """A hook that runs a shell script with $LOG = the folder's log."""
    return {"path": "/bin/sh", "args": ["sh", "-c", script], "env": [f"LOG={folder}/log", f"DIR={folder}"], **more}


@pytest.fixture
def bundle(containerd, rootfs, tmp_path):
    """make(hooks, args) -> path of an OCI configuration with these hooks."""
    def make(hooks, args=("true",)):
        spec = json.loads(containerd.ctr("oci", "spec").ok().out)
        spec["root"]["path"] = str(rootfs)
        spec["process"]["args"] = list(args)
        spec["process"]["env"] = [image.PATH]
        spec["process"]["terminal"] = False
        spec["linux"]["cgroupsPath"] = f"/{containerd.namespace}/hooks"
        spec["annotations"] = {"of": "the test"}
        spec["hooks"] = hooks
        path = tmp_path / "config.json"
        path.write_text(json.dumps(spec))
        return path

    return make


def recording(folder):
    """Hooks that append their stage to the log and keep the state they were given."""
    return {stage: [hook(folder, f"cat > $DIR/{stage}.json; echo {stage} >> $LOG")] for stage in STAGES}


def log(folder):
    path = folder / "log"
    return path.read_text().split() if path.exists() else []


def test_all_run_in_order_with_the_state(containerd, bundle, tmp_path, clean):
    hooks = recording(tmp_path)
    hooks["createRuntime"].append(hook(tmp_path, "readlink /proc/$(grep -o '\"pid\":[0-9]*' $DIR/createRuntime.json "
                                                 "| cut -d : -f 2)/ns/net > $DIR/netns; pwd > $DIR/cwd"))
    id = containerd.new_id()
    containerd.run_spec(bundle(hooks), id=id).ok()
    run.wait_until(lambda: log(tmp_path) == list(STAGES), 10, "all hooks ran")
    states = {stage: json.loads((tmp_path / f"{stage}.json").read_text()) for stage in STAGES}
    for stage, state in states.items():
        assert state["id"] == id and state["annotations"] == {"of": "the test"}
        assert state["bundle"].endswith(f"/{id}") and state["ociVersion"]
        assert (state.get("pid", 0) > 0) == (stage != "poststop"), state
    assert [states[stage]["status"] for stage in STAGES] == ["creating", "creating", "running", "stopped"]
    # The pid leads to the network namespace of the container, which is not the host's.
    netns = (tmp_path / "netns").read_text().strip()
    assert netns.startswith("net:[") and netns != os.readlink("/proc/self/ns/net")
    assert (tmp_path / "cwd").read_text().strip() == states["createRuntime"]["bundle"]


@pytest.mark.parametrize("stage", ["prestart", "createRuntime"])
def test_failure_before_the_create_fails_it_and_leaves_nothing(containerd, bundle, tmp_path, clean, stage):
    hooks = {stage: [hook(tmp_path, "echo this hook has its reasons >&2; exit 5")],
             "poststop": [hook(tmp_path, "echo poststop >> $LOG")]}
    result = containerd.run_spec(bundle(hooks))
    assert result.code != 0
    assert "this hook has its reasons" in result.err and "exit status 5" in result.err and stage in result.err, result.err
    assert log(tmp_path) == ["poststop"]  # the life of the container is over


def test_timeout_fails_the_create(containerd, bundle, tmp_path, clean):
    result = containerd.run_spec(bundle({"createRuntime": [hook(tmp_path, "echo $$ > $DIR/pid; exec sleep 1000", timeout=1)]}))
    assert result.code != 0 and "hook" in result.err, result.err
    assert not os.path.exists(f"/proc/{(tmp_path / 'pid').read_text().strip()}")


@pytest.mark.skipif(not KATA, reason="runc 1.1 ends a container whose poststart hook fails")
def test_failures_after_the_start_are_only_warnings(containerd, bundle, tmp_path, clean):
    hooks = {stage: [hook(tmp_path, "exit 1"), hook(tmp_path, f"echo {stage} >> $LOG")] for stage in ("poststart", "poststop")}
    assert containerd.run_spec(bundle(hooks, ["echo", "ran"])).ok().out == "ran\n"
    run.wait_until(lambda: log(tmp_path) == ["poststart", "poststop"], 10, "the hooks after the failing ones ran")


@pytest.mark.skipif(not KATA, reason="runc has no VMM and no shim of ours to kill")
@pytest.mark.parametrize("victim", ["qemu-system", "containerd-shim-kata"])
def test_poststop_runs_after_a_violent_end(containerd, bundle, tmp_path, clean, victim):
    id = containerd.new_id()
    path = bundle({"poststop": [hook(tmp_path, "echo poststop >> $LOG")]}, ["sleep", "1000"])
    containerd.ctr("run", "--detach", "--runtime", cd.kata_runtime(), "--config", path, id, timeout=90).ok()
    for pid, line in leaks.processes((id,)).items():
        if victim in line.split(" ")[0] and not line.endswith((" start", " delete")):
            os.kill(pid, signal.SIGKILL)
    run.wait_until(lambda: containerd.task_status(id) in ("STOPPED", None, "UNKNOWN"), 20, "the end is seen")
    containerd.remove(id)
    run.wait_until(lambda: log(tmp_path) == ["poststop"], 10, "poststop ran once")
