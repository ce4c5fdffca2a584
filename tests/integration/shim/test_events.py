"""Events as the shim forwards them, and their retry when containerd is away."""
from bed import run, wire


def of(host, id):
    return [topic for topic, _, event in host.sink.events if wire.text(event, 1) == id]


def test_order_and_types(created, host):
    item = created(["sh", "-c", "exit 5"])
    item.create()
    item.task.start(item.id)
    item.task.wait(item.id)
    item.task.call("Delete", id=item.id)
    run.wait_until(lambda: len(of(host, item.id)) >= 4, 10, "four events")
    assert of(host, item.id) == ["/tasks/create", "/tasks/start", "/tasks/exit", "/tasks/delete"]
    types = [kind for _, kind, event in host.sink.events if wire.text(event, 1) == item.id]
    assert types == [f"containerd.events.Task{name}" for name in ("Create", "Start", "Exit", "Delete")]


def test_events_wait_for_containerd(created, host):
    item = created(["sleep", "1000"])
    item.create()
    item.task.start(item.id)
    run.wait_until(lambda: len(of(host, item.id)) == 2, 10, "create and start")
    host.sink.close()
    item.task.kill(item.id, 9)
    item.task.wait(item.id)
    run.run(["sleep", "2"])
    host.sink = host.sink.reopen()
    run.wait_until(lambda: "/tasks/exit" in of(host, item.id), 30, "the exit event after the pause")
