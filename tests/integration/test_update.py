"""`ctr task update` does not exist everywhere, so Update goes straight to the shim."""
import json

from bed import task

PRIMARY_ONLY = True


def update(containerd, id, resources):
    with task.Task(containerd.shim_socket(id)) as shim:
        shim.call("Update", task.any_json(2, task.RESOURCES_URL, resources), id=id)


def metrics(containerd, id):
    return json.loads(containerd.ctr("task", "metrics", "--format", "json", id).ok().out)


def test_pids_limit(containerd, container):
    id = container("sleep", "300")
    update(containerd, id, {"pids": {"limit": 9}})
    assert metrics(containerd, id)["pids"]["limit"] == 9
    script = "i=0; while [ $i -lt 20 ]; do sleep 1 & i=$((i+1)); done; wait"
    assert "Resource temporarily unavailable" in containerd.exec(id, "sh", "-c", script).err


def test_memory_limit(containerd, container):
    id = container("sleep", "300")
    update(containerd, id, {"memory": {"limit": 48 << 20}})
    assert metrics(containerd, id)["memory"]["usage"]["limit"] == 48 << 20


def test_unknown_resources_are_tolerated(containerd, container):
    id = container("sleep", "300")
    update(containerd, id, {"pids": {"limit": 100}, "somethingNew": {"x": 1}})
    assert metrics(containerd, id)["pids"]["limit"] == 100
