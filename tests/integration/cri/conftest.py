"""Fixtures of the tests that speak CRI. They need python3-grpcio, which Debian installs for /usr/bin/python3."""
import pytest

from bed import cri_containerd as cc
from bed import crio, daemon_process, guest_shell, kata_config, leaks, places
from bed.pod import Pod
from bed.pod_cell import NAME, Cell


SANDBOX_API = "kata-sandbox"  # a pod made by containerd's Sandbox API; containerd 1.6 has none


def pytest_generate_tests(metafunc):
    """`handler` is kata, by both ways to a pod, and runc as the oracle where the VM makes no difference."""
    if "handler" in metafunc.fixturenames:
        handlers = getattr(metafunc.module, "HANDLERS", ["kata", SANDBOX_API, "runc"])
        metafunc.parametrize("handler", handlers, indirect=True, scope="session")


def pytest_collection_modifyitems(config, items):
    """Leaves out what an old containerd and CRI-O do not offer, and repetitions of modules with ONCE_PER_HANDLER."""
    seen = set()

    def wanted(item):
        params = getattr(item, "callspec", None) and item.callspec.params or {}
        handler, version = params.get("handler"), str(params.get("cri_daemon", "2"))
        if handler == SANDBOX_API and not version.startswith("2"):
            return False
        if not getattr(item.module, "ONCE_PER_HANDLER", False):
            return True
        test = (item.module, item.originalname, handler)
        return test not in seen and not seen.add(test)

    kept = [item for item in items if wanted(item)]
    if len(kept) < len(items):
        config.hook.pytest_deselected(items=list(set(items) - set(kept)))
        items[:] = kept


@pytest.fixture(scope="session")
def handler(request):
    return request.param


@pytest.fixture(scope="session")
def cri_archives(work, images):
    return [images[0][0], cc.make_pause_archive(work / "pause")]


def _private_crio(work, archives):
    try:
        return crio.Crio(work / "crio", archives)
    except crio.Missing as reason:
        pytest.skip(f"CRI-O: {reason}")


@pytest.fixture(scope="session")
def cri_daemon(request, work, cri_archives):
    if request.param == crio.Crio.version:
        daemon = _private_crio(work, cri_archives)
    else:
        daemon = cc.CriContainerd(request.param, work / f"p{request.param[0]}", cri_archives)
    yield from daemon_process.lifetime(daemon)


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


@pytest.fixture(scope="module")
def shells(cri_daemon, handler, work):
    """The daemon whose guests have a shell, for the kills inside."""
    folder = work / f"shells-{handler}"
    folder.mkdir()
    initrd = guest_shell.add_shell(places.guest_artefacts()["KATA_INITRD"], folder / "initrd")
    kata_config.write(cri_daemon.kata_config, {
        kata_config.QEMU: {"initrd": initrd}, kata_config.AGENT: {"debug_console_enabled": True}})
    yield cri_daemon
    kata_config.write(cri_daemon.kata_config)
    with Pod(cri_daemon, handler, name=NAME) as again:
        assert again.is_ready()


@pytest.fixture
def cell(shells, handler, victim, size):
    """A cell of the kill matrix."""
    cell = Cell(shells, handler, victim, size)
    yield cell
    cell.close()
