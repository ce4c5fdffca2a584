"""A larger limit makes the VM grow, unless its size is fixed."""
import pytest

from bed import containerd as cd
from bed import kata_config, task

PRIMARY_ONLY = True

if cd.kata_runtime() == cd.RUNC:
    pytest.skip("runc has no VM", allow_module_level=True)


@pytest.mark.parametrize("fixed", [False, True])
def test_update_grows_the_vm(containerd, container, tmp_path, fixed):
    config = kata_config.write(tmp_path / "kata.toml", {kata_config.RUNTIME: {"static_sandbox_resource_mgmt": fixed}})
    id = container("sleep", "1000", flags=["--runtime-config-path", config, "--memory-limit", str(64 << 20)])
    with task.Task(containerd.shim_socket(id)) as shim:
        shim.call("Update", task.any_json(2, task.RESOURCES_URL, {"memory": {"limit": 400 << 20}}), id=id)
    total = int(containerd.exec(id, "grep", "MemTotal", "/proc/meminfo").ok().out.split()[1]) >> 10
    # The view never shows more than the machine has.
    assert total < 256 + 64 if fixed else total == 400
