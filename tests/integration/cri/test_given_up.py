"""A client that gives up while a pod starts: nothing of the pod stays on the node."""
import os

import grpc
import pytest

from bed import leaks, run

HANDLERS = ["kata"]


def vmms(daemon):
    return {pid for pid, line in leaks.processes(daemon.tokens()).items()
            if os.path.basename(line.split(" ")[0]).startswith("qemu-system")}


def test_while_the_vm_boots(cri_daemon, handler, clean):
    others = vmms(cri_daemon)
    name = f"given-up-{handler}"
    config = {"metadata": {"name": name, "uid": f"uid-{name}", "namespace": "default"},
              "linux": {"cgroup_parent": f"/{cri_daemon.token}"}}
    starting = cri_daemon.cri.begin("RunPodSandbox", config=config, runtime_handler=handler)
    run.wait_until(lambda: vmms(cri_daemon) - others, 30, "the VM is there", interval=0.02)
    starting.cancel()
    with pytest.raises(grpc.FutureCancelledError):
        starting.result()
    run.wait_until(lambda: not vmms(cri_daemon) - others, 30, "the VM is gone", interval=0.1)
    # What a kubelet does with the remains that containerd keeps of it.
    for pod in cri_daemon.cri.call("ListPodSandbox").items:
        if pod.metadata.name == name:
            cri_daemon.cri.call("StopPodSandbox", pod_sandbox_id=pod.id)
            cri_daemon.cri.call("RemovePodSandbox", pod_sandbox_id=pod.id)
