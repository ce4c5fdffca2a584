"""kata-monitor among many, dead, silent and hostile sandboxes, and with hostile clients. No VM is started."""
import pathlib
import socket
import tempfile

import pytest

from bed import fake_shims, monitor

MIB = 1 << 20


class Node:
    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="km", dir="/tmp")  # short: a socket's path has 107 bytes
        self.shims = fake_shims.FakeShims(pathlib.Path(self.folder.name))
        self.monitor = monitor.Monitor(self.folder.name)

    def close(self):
        self.monitor.close()
        self.shims.close()
        self.folder.cleanup()


@pytest.fixture
def node():
    node = Node()
    yield node
    node.close()


def test_many_sandboxes_are_merged_quickly_in_little_memory(node):
    for number in range(200):
        node.shims.add(f"sandbox-{number:03}", fake_shims.figures(),
                       f'{{"uid":"u{number}","name":"pod-{number}","namespace":"default"}}')
    seconds, text = node.monitor.scrape()
    assert seconds < 10  # the figure itself is a benchmark: bench/figures/monitor.py
    assert text.count("# TYPE kata_guest_made_up_family_000 ") == 1
    assert monitor.value(text, "kata_guest_made_up_family_001", item="something_02_counted",
                         sandbox_id="sandbox-117", cri_name="pod-117", cri_namespace="default",
                         cri_uid="u117") == 1000005
    assert monitor.value(text, "kata_monitor_running_shim_count") == 200
    assert node.monitor.rss() <= 20 * MIB


def test_dead_silent_and_lying_sandboxes_do_not_hold_up_the_others(node):
    node.shims.add_dead(10000)
    for number in range(5):
        node.shims.add(f"silent-{number}")
    node.shims.add("liar", 'a{sandbox_id="good"} 1\n# TYPE kata_guest_good histogram\nkata_guest_good 9\n}{"\n')
    node.shims.add("good", "# TYPE kata_guest_good gauge\nkata_guest_good 7\n")
    node.shims.add("better", "# TYPE kata_guest_good gauge\nkata_guest_good 8\n")
    seconds, text = node.monitor.scrape()
    assert seconds < 12  # 3 s for the silent ones; Prometheus gives up after 10 s on a quiet machine
    assert monitor.value(text, "kata_guest_good", sandbox_id="good") == 7
    assert monitor.value(text, "kata_guest_good", sandbox_id="better") == 8
    assert monitor.value(text, "kata_monitor_running_shim_count") == 10008
    _, text = node.monitor.scrape("/metrics?filter_family=kata_monitor")
    assert text == ""
    _, text = node.monitor.scrape()
    assert monitor.value(text, "kata_monitor_scrape_failed_count") >= 10005


def test_clients_that_say_nothing_are_let_go(node):
    node.shims.add("good", "kata_guest_good 7\n")
    silent = [socket.create_connection(("127.0.0.1", node.monitor.port)) for _ in range(200)]
    try:
        _, text = node.monitor.scrape()
        assert 'kata_guest_good{sandbox_id="good"' in text
        silent[-1].sendall(b"\x16\x03\x01" + b"\0" * 20000)  # TLS, or anything
    finally:
        for one in silent:
            one.close()
    assert node.monitor.get("/sandboxes")[2] == "good\n"


def test_pages(node):
    node.shims.add("good", "kata_guest_good 7\n", '{"uid":"u","name":"<b>","namespace":"default"}')
    get = node.monitor.get
    status, _, text = get("/")
    lines = text.splitlines()
    assert status == 200 and lines[0] == "Available HTTP endpoints:"
    assert lines[1].startswith("/metrics ") and len({line.index(" : ") for line in lines[1:]}) == 1
    status, headers, text = get("/", accept="text/html,*/*")
    assert headers["Content-Type"].startswith("text/html") and '<a href="/sandboxes">' in text
    _, _, text = get("/sandboxes", accept="text/html")
    assert '<a href="/metrics?sandbox=good">' in text and "default/&lt;b&gt;" in text
    assert get("/metrics?sandbox=good")[2] == "kata_guest_good 7\n"
    assert get("/agent-url")[0] == 400
    assert get("/agent-url?sandbox=nobody")[0] == 400
    assert get("/agent-url?sandbox=..")[0] == 400
    assert get("/nothing")[0] == 404
