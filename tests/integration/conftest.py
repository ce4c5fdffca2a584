"""Fixtures of the integration tests: private containerds that are made once per run.

  KATA_CONTAINERD=1.6|2.x|crio only this one (default: both containerds; crio is for integration/cri alone)
  KATA_TEST_RUNTIME=<runtime>  what stands in for kata (io.containerd.runc.v2 proves the tests' own code)
  KATA_TEST_WORK=<folder>      where work folders are made (default /var/tmp; must not be an overlay)
"""
import functools
import os
import pathlib
import shutil
import signal
import sys
import tempfile

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from bed import containerd as cd  # noqa: E402
from bed import crio, image, leaks, newer_suite, places, run  # noqa: E402

pytest_plugins = ["direct"]


@functools.cache  # old pytests tell parameters apart by identity: it has to be the same string each time
def versions():
    chosen = os.environ.get("KATA_CONTAINERD")
    return [chosen] if chosen else list(cd.VERSIONS)


def pytest_generate_tests(metafunc):
    """Tests with a daemon run on each version, unless their module says PRIMARY_ONLY or names its VERSIONS."""
    chosen = versions()[:1] if getattr(metafunc.module, "PRIMARY_ONLY", False) else versions()
    offered = getattr(metafunc.module, "VERSIONS", (*cd.VERSIONS, crio.Crio.version))
    chosen = [version for version in chosen if version in offered]
    for name in ("containerd", "cri_daemon"):
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, chosen, indirect=True, scope="session")


TEST_LIMIT = 240  # seconds, unless the module has its own; tests have shorter limits for each of their steps


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item):
    """No test can hang the run."""
    limit = getattr(item.module, "TEST_LIMIT", TEST_LIMIT)

    def expire(_signal, _frame):
        raise TimeoutError(f"the test took more than {limit} s")

    signal.signal(signal.SIGALRM, expire)
    signal.alarm(int(limit * run.PATIENCE))
    yield
    signal.alarm(0)


@pytest.fixture(scope="session")
def work():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="kt", dir=os.environ.get("KATA_TEST_WORK", "/var/tmp")))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def images(work):
    return image.make_test_images(work / "images")


@pytest.fixture(scope="session")
def rootfs(images):
    return images[1]


@pytest.fixture(scope="session")
def containerd(request, work, images):
    try:
        daemon = cd.Containerd(request.param, work / f"c{request.param[0]}", images[0])
    except newer_suite.Unavailable as reason:
        pytest.skip(str(reason))
    yield daemon
    left = daemon.close()
    assert not left, "left behind at the end of the run:\n" + "\n".join(left)


@pytest.fixture
def container(containerd):
    """A function that starts a detached container; all of them are removed after the test."""
    started = []

    def start(*command, **options):
        options.setdefault("id", containerd.new_id())
        started.append(options["id"])
        return containerd.start_detached(*command, **options)

    yield start
    for id in started:
        containerd.remove(id)


@pytest.fixture
def clean(containerd):
    """The test must leave nothing behind that was not there before it."""
    before = leaks.Snapshot(containerd.tokens())
    yield before
    left = leaks.wait_clean(containerd.tokens(), before)
    assert not left, "left behind:\n" + "\n".join(left)


@pytest.fixture(scope="session")
def kata():
    """kata("check", ...): `kata-runtime` as an operator calls it, gives a run.Result."""
    program = places.bin_dir() / "kata-runtime"

    def call(*arguments, timeout=60, **options):
        return run.run([program, *arguments], timeout=timeout, **options)

    return call
