"""Fixtures of the tests that speak CRI. They need python3-grpcio, which Debian installs for /usr/bin/python3."""
import pytest

from bed import cri_containerd as cc
from bed.pod import Pod


def pytest_generate_tests(metafunc):
    """`handler` is kata and, where the test's result does not depend on the VM, runc as the oracle."""
    if "handler" in metafunc.fixturenames:
        metafunc.parametrize("handler", getattr(metafunc.module, "HANDLERS", ["kata", "runc"]), indirect=True,
                             scope="session")


@pytest.fixture(scope="session")
def handler(request):
    return request.param


@pytest.fixture(scope="session")
def cri_archives(work, images):
    return [images[0][0], cc.make_pause_archive(work / "pause")]


@pytest.fixture(scope="session")
def cri_daemon(request, work, cri_archives):
    daemon = cc.CriContainerd(request.param, work / f"p{request.param[0]}", cri_archives)
    yield daemon
    left = daemon.close()
    assert not left, "left behind at the end of the run:\n" + "\n".join(left)


# What the tests' one pod asks for, so that few VMs have to boot.
POD = {
    "dns_config": {"servers": ["10.77.0.250"], "searches": ["svc.test", "test"], "options": ["ndots:3"]},
    "linux": {
        "sysctls": {"kernel.shm_rmid_forced": "1", "net.ipv4.ip_unprivileged_port_start": "1234"},
        "security_context": {"privileged": True},
    },
}


@pytest.fixture(scope="session")
def pod(cri_daemon, handler):
    """One pod for all tests that do not harm it; its containers have names of their own."""
    with Pod(cri_daemon, handler, **POD) as pod:
        yield pod
