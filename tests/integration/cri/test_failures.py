"""Pods whose VM dies, and requests that cannot be served: clear errors, and all of it can be removed."""
import os
import signal

import pytest

from bed import cri, leaks, run
from bed.pod import EXITED, Pod

PRIMARY_ONLY = True
HANDLERS = ["kata"]
CONTAINERS = 5


def test_death_of_the_vm_ends_all_containers(cri_daemon, handler, clean):
    """How soon is measured in integration/shim/test_pods.py."""
    with Pod(cri_daemon, handler) as pod:
        ids = [pod.run(f"c{i}", "sleep", "1000") for i in range(CONTAINERS)]
        os.kill(pod.vmm(), signal.SIGKILL)
        for id in ids:
            assert pod.wait_exit(id).exit_code == 137
        run.wait_until(lambda: not pod.is_ready(), 20, "the sandbox is not ready", interval=0.1)
        late = None
        with pytest.raises(cri.CriError):
            late = pod.create("late", "true")
            pod.start(late)
        with pytest.raises(cri.CriError):
            pod.exec(ids[0], "true")


def test_join_while_the_vm_dies(cri_daemon, handler, clean):
    """The VM dies between Create and Start of a container: the start fails and says so."""
    with Pod(cri_daemon, handler) as pod:
        id = pod.create("late", "sleep", "1000")
        os.kill(pod.vmm(), signal.SIGKILL)
        with pytest.raises(cri.CriError) as refused:
            pod.start(id)
        # containerd may have seen the end first; then its own words tell of the sandbox.
        assert "sandbox" in refused.value.message, refused.value
        assert pod.state(id) == EXITED
        pod.remove_container(id)


@pytest.mark.parametrize("victim", ["containerd-shim-kata-v2", "virtiofsd"])
def test_death_of_a_helper(cri_daemon, handler, victim, clean):
    with Pod(cri_daemon, handler) as pod:
        ids = [pod.run(f"c{i}", "sleep", "1000") for i in range(2)]
        victims = [pid for pid, line in leaks.processes(cri_daemon.tokens()).items()
                   if os.path.basename(line.split(" ")[0]) == victim]
        assert victims
        for pid in victims:
            os.kill(pid, signal.SIGKILL)
        for id in ids:
            assert pod.wait_exit(id).exit_code != 0


def test_host_network_is_refused(cri_daemon, handler, clean):
    with pytest.raises(cri.CriError, match="host's network"):
        Pod(cri_daemon, handler, linux={"security_context": {"namespace_options": {"network": "NODE"}}})


@pytest.mark.parametrize("key, value", [
    ("hypervisor.path", "/bin/sh; rm -rf ../.."),
    ("hypervisor.kernel", "/../../etc/passwd"),
    ("hypervisor.kernel_params", "$(reboot) `reboot` init=/bin/sh\nsecond=line"),
    ("hypervisor.default_vcpus", "1; reboot"),
])
def test_bad_annotation_names_the_way_out(cri_daemon, handler, clean, key, value):
    name = f"io.katacontainers.config.{key}"
    with pytest.raises(cri.CriError) as refused:
        Pod(cri_daemon, handler, annotations={name: value})
    assert "step config" in refused.value.message
    assert "enable_annotations" in refused.value.message or name in refused.value.message


def test_other_handler_of_the_same_runtime(cri_daemon, clean):
    """kata-qemu: another name of the shim, and a configuration file named by the handler's options.

    Its handler passes the node's devices to privileged containers; a guest has its own.
    """
    with Pod(cri_daemon, "kata-qemu", linux={"security_context": {"privileged": True}}) as pod:
        id = pod.run("one", "sleep", "1000", linux={"security_context": {"privileged": True}})
        pod.sh(id, "echo x > /dev/null && mkdir /mnt/t && mount -t tmpfs none /mnt/t")
