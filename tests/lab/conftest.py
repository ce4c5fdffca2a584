"""Fixtures of the lab tests: commands inside a VM with working KVM and vhost-vsock."""
import pathlib
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "lib"))

from bed import places, run  # noqa: E402


@pytest.fixture(scope="session")
def lab():
    """lab(command...) -> Result of the command in the VM; the VM lives as long as the command."""
    def call(*command, timeout=600, share=(), **environment):
        argv = [HERE / "kvm_lab", "--timeout", timeout * run.PATIENCE, "--chdir", places.REPO]
        for folder in share:
            argv += ["--share", folder]
        # The VM cannot see how busy this machine is, and is itself emulated.
        environment.setdefault("KATA_PATIENCE", 3 * run.PATIENCE)
        for key, value in environment.items():
            argv += ["--env", f"{key}={value}"]
        return run.run([*argv, "--", *command], timeout=timeout + 60)

    return call
