"""Events reach containerd in the order of the contract (shim-v2: create < start < exit < delete)."""
import json
import re

import pytest

from bed import run


@pytest.fixture
def events(containerd):
    """events(id) -> [(topic, event)] of a container so far, in order of arrival."""
    process = containerd.ctr_background("events")
    run.wait_until(lambda: subscribed(containerd, process), 15, "the event stream is open", interval=0.3)

    def of(id):
        found = []
        for line in process.out.splitlines():
            match = re.search(r" (/\S+) (\{.*\})$", line)
            if match and match.group(1).startswith("/tasks/"):
                event = json.loads(match.group(2))
                if event.get("container_id") == id:
                    found.append((match.group(1), event))
        return found

    yield of
    process.close()


def subscribed(containerd, process):
    """`ctr events` does not say when it listens: make events until one arrives."""
    containerd.ctr("container", "label", "no-such-container", "a=b")
    id = containerd.new_id("probe")
    containerd.ctr("container", "create", "local.test/busybox:latest", id)
    containerd.ctr("container", "rm", id)
    return process.out


def topics(found):
    return [topic.removeprefix("/tasks/") for topic, _ in found]


def test_life_of_a_container(containerd, events):
    id = containerd.new_id()
    assert containerd.run("sh", "-c", "exit 3", id=id).code == 3
    run.wait_until(lambda: "delete" in topics(events(id)), 15, "the delete event")
    found = events(id)
    assert topics(found) == ["create", "start", "exit", "delete"]
    created, started, exited, deleted = (event for _, event in found)
    assert created["bundle"] and created["pid"] == started["pid"] == exited["pid"]
    assert exited["id"] == id and exited["exit_status"] == deleted["exit_status"] == 3


def test_life_of_an_exec(containerd, events, container):
    id = container("sleep", "300")
    containerd.exec(id, "sh", "-c", "exit 4", exec_id="second")
    run.wait_until(lambda: "exit" in topics(events(id)), 15, "the exit event")
    found = events(id)
    assert topics(found) == ["create", "start", "exec-added", "exec-started", "exit"]
    exited = found[-1][1]
    assert (exited["id"], exited["exit_status"]) == ("second", 4)


def test_pause_and_resume(containerd, events, container):
    id = container("sleep", "300")
    containerd.ctr("task", "pause", id).ok()
    containerd.ctr("task", "resume", id).ok()
    run.wait_until(lambda: "resumed" in topics(events(id)), 15, "the resumed event")
    assert topics(events(id))[-2:] == ["paused", "resumed"]


def test_out_of_memory(containerd, events, container):
    script = "sleep 1; dd if=/dev/zero of=/dev/null bs=200M count=1; sleep 300"
    id = container("sh", "-c", script, flags=["--memory-limit", str(50 << 20)])
    run.wait_until(lambda: "oom" in topics(events(id)), 60, "the oom event")


def test_killed_container(containerd, events, container):
    id = container("sleep", "300")
    containerd.ctr("task", "kill", "--signal", "SIGKILL", id).ok()
    run.wait_until(lambda: "exit" in topics(events(id)), 15, "the exit event")
    assert events(id)[-1][1]["exit_status"] == 137
