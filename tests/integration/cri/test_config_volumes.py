"""ConfigMap, Secret and their like: changes arrive as kubelet makes them, and inotify tells."""
import os
import subprocess
import time

import pytest

from bed import kubelet, run
from bed.pod import Pod

PRIMARY_ONLY = True
MIB = 1 << 20


def mount(path, source, **more):
    return {"container_path": path, "host_path": str(source), **more}


@pytest.fixture(scope="module")
def watcher(work):
    return kubelet.make_watcher(work)


@pytest.fixture
def folder(pod, request):
    made = pod.logs / request.node.originalname
    made.mkdir(exist_ok=True)
    return made


def watch(pod, name, volume, program, command):
    """A container that prints what inotify tells of its /config and then what the command prints."""
    id = pod.run(name, "/watch", "/config", command, mounts=[
        mount("/config", volume.path, readonly=True), mount("/watch", program, readonly=True)])
    run.wait_until(lambda: "ready" in pod.output(name), 30, "the watcher watches")
    return id


@pytest.mark.parametrize("kind", ["configmap", "secret", "projected", "downward-api"])
def test_each_kind_is_watched(pod, folder, watcher, kind):
    volume = kubelet.ConfigVolume(folder, kind, "one")
    volume.write({"key": "old\n"})
    id = watch(pod, f"kind-{kind}", volume, watcher, "cat /config/key")
    volume.write({"key": "new\n"})
    run.wait_until(lambda: "new" in pod.output(f"kind-{kind}"), 30, "the watcher hears of it")
    pod.remove_container(id)


@pytest.mark.parametrize("count, size", [(1, 4), (9, 2 * MIB), (30, 4)])
def test_a_change_is_one_rename(pod, folder, watcher, count, size):
    """Whoever is woken by the rename finds all of the new content, however much there is."""
    def values(word):
        return {f"key{i}": f"{word}\n" for i in range(count)} | {"large": word[0] * size}

    volume = kubelet.ConfigVolume(folder, "configmap", f"many{count}")
    volume.write(values("old"))
    name, mounts = f"many{count}", [mount("/config", volume.path, readonly=True)]
    id = watch(pod, name, volume, watcher, "cat /config/key* | sort | uniq -c; wc -c < /config/large; tail -c 1 /config/large; echo")
    other = pod.run(f"other{count}", "sleep", "1000", mounts=mounts)
    started = time.monotonic()
    volume.write(values("new"))
    run.wait_until(lambda: f"\n{size}\n" in pod.output(name), 60, "the watcher hears of it", interval=0.02)
    print(f"{pod.handler}: {count} files and {size} bytes after {(time.monotonic() - started) * 1000:.0f} ms")
    run.wait_until(lambda: "delete ..1" in pod.output(name), 30, "and of the end of the old content")
    said = [line.split() for line in pod.output(name).splitlines()]
    assert said.count(["moved", "..data"]) == 1
    assert [str(count), "new"] in said and not any("old" in words for words in said)
    assert said[said.index(["moved", "..data"]) - 1] == ["from", "..data_tmp"]
    assert said.index(["create", "..2"]) < said.index(["moved", "..data"]) < said.index(["delete", "..1"])
    assert pod.sh(other, "cat /config/key* | sort -u") == "new\n", "every container of the pod has it"
    assert pod.sh(other, "find /config -type f | wc -l; ls -a /config | wc -l") == f"{count + 1}\n{count + 5}\n"
    for gone in (id, other):
        pod.remove_container(gone)


def test_names_come_and_go(pod, folder):
    volume = kubelet.ConfigVolume(folder, "secret", "names")
    volume.write({"a": "1\n", "b": "1\n"})
    (volume.path / "..1" / "a").chmod(0o440)
    id = pod.run("names", "sleep", "1000", mounts=[mount("/config", volume.path, readonly=True)])
    assert pod.sh(id, "stat -c %a /config/..data/a; ls /config") == "440\na\nb\n"
    volume.write({"b": "2\n", "c": "2\n"})
    run.wait_until(lambda: pod.sh(id, "ls /config") == "b\nc\n", 30, "the names have changed")
    assert pod.sh(id, "cat /config/*") == "2\n2\n"
    pod.remove_container(id)


def test_read_only(pod, folder):
    volume = kubelet.ConfigVolume(folder, "configmap", "fixed")
    volume.write({"key": "value\n"})
    id = pod.run("fixed", "sleep", "1000", mounts=[mount("/config", volume.path, readonly=True)])
    for script in ("touch /config/new", "echo x > /config/key", "rm /config/key", "chmod 777 /config/..data/key",
                   "mv /config/key /config/other"):
        assert pod.exec(id, "sh", "-c", script).code != 0, script
    assert (volume.path / "key").read_text() == "value\n"
    pod.remove_container(id)


def test_a_sub_path_keeps_its_content(pod, folder):
    """kubelet binds the file of a subPath once; new values do not arrive through it."""
    volume = kubelet.ConfigVolume(folder, "configmap", "parts")
    volume.write({"key": "old\n"})
    bound = folder / "volume-subpaths"
    bound.touch()
    subprocess.run(["mount", "--bind", volume.path / "..data" / "key", bound], check=True)
    try:
        id = pod.run("parts", "sleep", "1000", mounts=[
            mount("/file", bound, readonly=True), mount("/config", volume.path, readonly=True)])
        volume.write({"key": "new\n"})
        run.wait_until(lambda: pod.sh(id, "cat /config/key") == "new\n", 30, "the whole volume has changed")
        assert pod.sh(id, "cat /file") == "old\n"
        pod.remove_container(id)
    finally:
        subprocess.run(["umount", "-l", bound], check=True)


def used(pod, id):
    """KiB in the guest's memory for copies of volumes."""
    return int(pod.sh(id, "df -k /config | tail -n 1").split()[2])


def test_the_copy_goes_with_its_container(pod, folder):
    if pod.handler == "runc":
        pytest.skip("runc makes no copies")
    small, large = (kubelet.ConfigVolume(folder, "configmap", name) for name in ("small", "large"))
    small.write({"key": "x"})
    large.write({"key": "x" * 3 * MIB})
    stays = pod.run("stays", "sleep", "1000", mounts=[mount("/config", small.path, readonly=True)])
    before = used(pod, stays)
    goes = [pod.run(f"goes{i}", "sleep", "1000", mounts=[mount("/config", large.path, readonly=True)]) for i in range(2)]
    assert used(pod, stays) >= before + 2 * 3072
    large.write({"key": "y" * 3 * MIB})
    run.wait_until(lambda: all(pod.sh(id, "tail -c 1 /config/key") == "y" for id in goes), 60, "both have the new content")
    assert used(pod, stays) < before + 2 * 3072 + 100, "nothing of the old content is kept"
    for id in goes:
        pod.remove_container(id)
    assert used(pod, stays) == before
    pod.remove_container(stays)


def test_a_volume_that_the_guest_has_no_room_for_is_shared(cri_daemon, handler, folder):
    """The tests' guest has 256 MiB, an eighth of it for copies: content and its changes are right all the same."""
    with Pod(cri_daemon, handler) as pod:
        volume = kubelet.ConfigVolume(folder, "configmap", "huge")
        volume.write({"key": "first"})
        os.truncate(volume.path / "..1" / "key", 40 * MIB)
        id = pod.run("huge", "sleep", "1000", mounts=[mount("/config", volume.path, readonly=True)])
        assert pod.sh(id, "stat -L -c %s /config/key; head -c 5 /config/key") == f"{40 * MIB}\nfirst"
        if pod.handler != "runc":
            assert "tmpfs" not in pod.sh(id, "df /config")
        assert pod.exec(id, "touch", "/config/new").code != 0
        volume.write({"key": "new\n"})
        run.wait_until(lambda: pod.exec(id, "cat", "/config/key").out == "new\n", 30, "the new content")
        pod.remove_container(id)
