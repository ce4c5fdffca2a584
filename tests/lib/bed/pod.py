"""A pod and its containers, as a kubelet would drive them."""
import collections
import glob
import itertools
import json
import os

from bed import cri, image, run

_numbers = itertools.count(1)
LogLine = collections.namedtuple("LogLine", "stream tag text")
Output = collections.namedtuple("Output", "code out err")

RUNNING, EXITED, CREATED = "CONTAINER_RUNNING", "CONTAINER_EXITED", "CONTAINER_CREATED"


def merged(base, changes):
    """The base with nested changes."""
    result = dict(base)
    for key, value in changes.items():
        if isinstance(value, dict) and isinstance(result.get(key), dict):
            value = merged(result[key], value)
        result[key] = value
    return result


class Pod:
    """One pod sandbox. close() stops and removes it, whatever its state.

    `daemon` is a CriContainerd; the name is a new one unless it is given; further words change the
    sandbox's configuration.
    """

    def __init__(self, daemon, handler="kata", pid="CONTAINER", name=None, **changes):
        self.daemon, self.cri, self.handler = daemon, daemon.cri, handler
        self.name = name or f"pod{next(_numbers)}"
        self.logs = daemon.pods / self.name
        self.logs.mkdir(parents=True, exist_ok=name is not None)
        self.pid = pid
        self.config = merged({
            "metadata": {"name": self.name, "uid": f"uid-{self.name}", "namespace": "default"},
            "hostname": self.name,
            "log_directory": str(self.logs),
            "linux": {"cgroup_parent": f"/{daemon.token}/{self.name}",
                      "security_context": {"namespace_options": {"pid": pid}}},
        }, changes)
        # The pod's control group is kubelet's: it makes it before and removes it after the pod.
        self.cgroups = [f"{root}{self.config['linux']['cgroup_parent']}" for root in glob.glob("/sys/fs/cgroup/*")]
        for folder in self.cgroups:
            os.makedirs(folder, exist_ok=True)
        try:
            answer = self.cri.call("RunPodSandbox", config=self.config, runtime_handler=handler)
        except cri.CriError:
            self._remove_cgroups()
            raise
        self.id = answer.pod_sandbox_id
        daemon.ids.append(self.id)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def status(self):
        return self.cri.call("PodSandboxStatus", pod_sandbox_id=self.id).status

    def is_ready(self):
        return cri.messages().PodSandboxState.Name(self.status().state) == "SANDBOX_READY"

    def vmm(self):
        """Process id of the VM: the pid that every task of the pod reports."""
        info = self.cri.call("PodSandboxStatus", pod_sandbox_id=self.id, verbose=True).info["info"]
        return json.loads(info)["pid"]

    def stop(self):
        if self.daemon.waits_for_containers:
            for container in self.cri.call("ListContainers").containers:
                if container.pod_sandbox_id == self.id:
                    self.stop_container(container.id)
        self.cri.call("StopPodSandbox", pod_sandbox_id=self.id)

    def remove(self):
        self.cri.call("RemovePodSandbox", pod_sandbox_id=self.id)

    def close(self):
        if self.id in [item.id for item in self.cri.call("ListPodSandbox").items]:
            self.stop()
            self.remove()
        self._remove_cgroups()

    def _remove_cgroups(self):
        """As soon as the runtime's own groups in it are gone."""
        for folder in self.cgroups:
            run.wait_until(lambda folder=folder: not any(entry.is_dir() for entry in os.scandir(folder)), 10, f"{folder} is empty", interval=0.1)
            os.rmdir(folder)

    # Containers.

    def create(self, name, *command, attempt=0, ref=image.BUSYBOX, **changes):
        """A container that is not started yet; returns its id."""
        config = merged({
            "metadata": {"name": name, "attempt": attempt},
            "image": {"image": ref, "user_specified_image": ref},  # CRI-O looks for the second one
            "command": list(command),
            "log_path": f"{name}.{attempt}.log",
            "linux": {"security_context": {"namespace_options": {"pid": self.pid}}},
        }, changes)
        answer = self.cri.call("CreateContainer", pod_sandbox_id=self.id, config=config, sandbox_config=self.config)
        self.daemon.ids.append(answer.container_id)
        return answer.container_id

    def start(self, id):
        self.cri.call("StartContainer", container_id=id)
        return id

    def run(self, name, *command, **changes):
        return self.start(self.create(name, *command, **changes))

    def run_to_end(self, name, *command, **changes):
        """The status of a container that has ended by itself."""
        id = self.run(name, *command, **changes)
        return self.wait_exit(id)

    def container(self, id):
        return self.cri.call("ContainerStatus", container_id=id).status

    def state(self, id):
        return cri.messages().ContainerState.Name(self.container(id).state)

    def wait_exit(self, id, timeout=60):
        run.wait_until(lambda: self.state(id) == EXITED, timeout, f"the end of container {id}", interval=0.1)
        return self.container(id)

    def stop_container(self, id, grace=0):
        self.cri.call("StopContainer", container_id=id, timeout=grace)

    def remove_container(self, id):
        if self.daemon.waits_for_containers and id in [c.id for c in self.cri.call("ListContainers").containers]:
            self.stop_container(id)
        self.cri.call("RemoveContainer", container_id=id)

    def exec(self, id, *command, timeout=60):
        answer = self.cri.call("ExecSync", container_id=id, cmd=list(command), timeout=int(timeout * run.PATIENCE))
        return Output(answer.exit_code, answer.stdout.decode(), answer.stderr.decode())

    def sh(self, id, script, timeout=60):
        """The output of a shell script in the container; it must succeed."""
        result = self.exec(id, "sh", "-c", script, timeout=timeout)
        assert result.code == 0, f"{script}: {result}"
        return result.out

    def log(self, name, attempt=0):
        """The lines of a container's log file, in the form that kubelet reads."""
        lines = []
        for line in (self.logs / f"{name}.{attempt}.log").read_text().splitlines():
            _time, stream, tag, text = line.split(" ", 3)
            lines.append(LogLine(stream, tag, text))
        return lines

    def output(self, name, attempt=0, stream="stdout"):
        """What a container wrote, put together again."""
        return "".join(line.text + ("" if line.tag == "P" else "\n") for line in self.log(name, attempt)
                       if line.stream == stream)
