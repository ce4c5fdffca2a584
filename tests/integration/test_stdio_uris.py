"""Output to a file and to a logger program, by --log-uri."""
from bed import run

PRIMARY_ONLY = True
LOGGER = """#!/bin/sh
# fd 3: stdout of the container, 4: its stderr, 5: says that the logger is ready
env > {folder}/env
echo "$0 $@" > {folder}/arguments
exec 5>&-
cat <&4 > {folder}/err &
cat <&3 > {folder}/out
wait
"""


def start(containerd, uri, *command):
    id = containerd.new_id()
    containerd.ctr(*containerd.run_argv(*command, id=id, flags=["--detach", "--log-uri", uri]), timeout=90).ok()
    return id


def test_file(containerd, work):
    target = work / "logs" / "deep" / "container.log"
    id = start(containerd, f"file://{target}", "sh", "-c", "echo out; echo err >&2; sleep 0.3; echo last")
    try:
        containerd.wait_status(id, "STOPPED")
        lines = run.wait_until(lambda: target.exists() and target.read_text().count("\n") >= 3
                               and target.read_text().splitlines(), 10, "three lines in the file")
        assert sorted(lines) == ["err", "last", "out"] and lines.index("out") < lines.index("last")
    finally:
        containerd.remove(id)


def test_binary(containerd, tmp_path):
    def text(name):
        return (tmp_path / name).read_text() if (tmp_path / name).exists() else None

    logger = tmp_path / "logger"
    logger.write_text(LOGGER.format(folder=tmp_path))
    logger.chmod(0o755)
    id = start(containerd, f"binary://{logger}?key=value", "sh", "-c", "echo out; echo err >&2")
    try:
        containerd.wait_status(id, "STOPPED")
        containerd.ctr("task", "rm", id)
        run.wait_until(lambda: text("out") == "out\n" and text("err") == "err\n", 15, "both streams at the logger")
        assert (tmp_path / "arguments").read_text().split()[1:] == ["key", "value"]
        environment = (tmp_path / "env").read_text().splitlines()
        assert f"CONTAINER_ID={id}" in environment
        assert f"CONTAINER_NAMESPACE={containerd.namespace}" in environment
    finally:
        containerd.remove(id)


def test_missing_logger_is_an_error(containerd, clean):
    id = containerd.new_id()
    argv = containerd.run_argv("true", id=id, flags=["--detach", "--log-uri", "binary:///no/such/logger"])
    try:
        assert containerd.ctr(*argv, timeout=90).code != 0
    finally:
        containerd.remove(id)


def test_null_io(containerd):
    result = containerd.run("sh", "-c", "echo lost; exit 6", flags=["--null-io"])
    assert (result.code, result.out) == (6, "")
