"""Standard input reaches the container, and its end does too (CloseIO).

ctr forgets an end of input that comes before its task is made, so the input starts when the
container has said that it runs.
"""
import subprocess

import pytest

from bed import run


@pytest.fixture
def feed(containerd):
    """feed(data, script): what the container says after it got the data and the end of input."""
    processes = []

    def run_with_input(data, script):
        argv = containerd.run_argv("sh", "-c", f"echo ready; {script}", flags=["--rm"])
        process = containerd.ctr_background(*argv, stdin=subprocess.PIPE)
        processes.append(process)
        process.wait_for("ready\n", 90)
        process.write(data)
        process.process.stdin.close()
        assert process.wait(120) == 0, process.err
        return process.out.removeprefix("ready\n")

    yield run_with_input
    for process in processes:
        process.close()


def test_input_and_end_of_input(feed, clean):
    assert feed("one\ntwo\n", "cat; echo end") == "one\ntwo\nend\n"


def test_large_input_arrives_whole(feed):
    data = "".join(f"line {n}\n" for n in range(40000))  # several pipe buffers
    assert feed(data, "md5sum").split()[0] == run.run(["md5sum"], stdin=data).ok().out.split()[0]


def test_no_input_at_all(containerd):
    assert containerd.run("sh", "-c", "echo done").ok().out == "done\n"
