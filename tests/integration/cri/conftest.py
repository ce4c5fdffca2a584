"""Fixtures of the tests that speak CRI. They need python3-grpcio, which Debian installs for /usr/bin/python3."""
import pytest

from bed import cri_containerd as cc
from bed import leaks
from bed.pod import Pod


SANDBOX_API = "kata-sandbox"  # a pod made by containerd's Sandbox API; containerd 1.6 has none


def pytest_generate_tests(metafunc):
    """`handler` is kata, by both ways to a pod, and runc as the oracle where the VM makes no difference."""
    if "handler" in metafunc.fixturenames:
        handlers = getattr(metafunc.module, "HANDLERS", ["kata", SANDBOX_API, "runc"])
        metafunc.parametrize("handler", handlers, indirect=True, scope="session")


def pytest_collection_modifyitems(config, items):
    """Leaves out what an old containerd does not offer."""
    def offered(item):
        params = getattr(item, "callspec", None) and item.callspec.params or {}
        return params.get("handler") != SANDBOX_API or not params.get("cri_daemon", "2").startswith("1")

    left_out = [item for item in items if not offered(item)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if offered(item)]


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


@pytest.fixture
def clean(cri_daemon):
    """The test must leave nothing behind that was not there before it."""
    before = leaks.Snapshot(cri_daemon.tokens())
    yield
    left = leaks.wait_clean(cri_daemon.tokens(), before)
    assert not left, "left behind:\n" + "\n".join(left)


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
