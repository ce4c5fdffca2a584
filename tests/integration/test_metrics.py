"""`ctr task metrics`: numbers of the container, user and system time in their own places."""
import json

PRIMARY_ONLY = True


def metrics(containerd, id):
    return json.loads(containerd.ctr("task", "metrics", "--format", "json", id).ok().out)


def test_memory_follows_use(containerd, container):
    id = container("sh", "-c", "dd if=/dev/zero of=/dev/shm/f bs=1M count=24 2>/dev/null; sleep 300")
    containerd.exec(id, "sh", "-c", "while [ $(stat -c %s /dev/shm/f) -lt 25165824 ]; do sleep 0.1; done").ok()
    usage = metrics(containerd, id)["memory"]["usage"]["usage"]
    assert 24 << 20 <= usage < 200 << 20


def test_user_and_system_time_are_not_swapped(containerd, container):
    id = container("sleep", "300")
    containerd.exec(id, "sh", "-c", "i=0; while [ $i -lt 400000 ]; do i=$((i+1)); done", timeout=120).ok()
    usage = metrics(containerd, id)["cpu"]["usage"]
    assert usage["user"] > usage.get("kernel", 0)
    assert usage["total"] > 0


def test_pids(containerd, container):
    id = container("sh", "-c", "sleep 300 & sleep 300 & sleep 300")
    containerd.exec(id, "true").ok()
    assert 3 <= metrics(containerd, id)["pids"]["current"] <= 6
