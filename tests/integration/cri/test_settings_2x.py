"""Settings of a container that containerd 1.6 does not know."""
import pytest

from bed import run


@pytest.fixture(scope="module")
def newer(pod):
    if pod.daemon.version.startswith("1."):
        pytest.skip("containerd 1.6 ignores these settings")
    return pod


@pytest.mark.parametrize("policy, of_the_image", [("Merge", True), ("Strict", False)])
def test_policy_of_supplemental_groups(newer, policy, of_the_image):
    """/etc/group of the image has the user in group 2000."""
    id = newer.run(f"groups{policy}", "sleep", "1000", linux={"security_context": {
        "run_as_user": {"value": 1000}, "supplemental_groups": [4000], "supplemental_groups_policy": policy}})
    groups = set(newer.sh(id, "id -G").split())
    assert "4000" in groups and ("2000" in groups) == of_the_image
    newer.remove_container(id)


@pytest.mark.parametrize("unified", [{"memory.high": "33554432"}, {"pids.max": "50"}])
def test_files_of_the_control_group(newer, unified):
    """Only a guest (or node) with cgroup v2 can have them."""
    file, value = next(iter(unified.items()))
    id = newer.create("unified", "sleep", "1000", linux={"resources": {"unified": unified}})
    if newer.handler == "runc" and not run.run(["test", "-f", "/sys/fs/cgroup/cgroup.controllers"]).code == 0:
        newer.remove_container(id)
        pytest.skip("the node has no cgroup v2: the guest has")
    newer.start(id)
    assert newer.sh(id, f"cat /sys/fs/cgroup/{file}") == f"{value}\n"
    newer.remove_container(id)
