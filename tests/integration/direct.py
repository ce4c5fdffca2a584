"""Fixtures for tests that speak to the shim directly, without containerd."""
import pytest

from bed import shim


@pytest.fixture(scope="session")
def host(work, rootfs):
    host = shim.Host(work / "s", rootfs)
    yield host
    left = host.close()
    assert not left, "left behind at the end of the run:\n" + "\n".join(left)


class Created:
    """A bundle, its shim and the connection to it; `end()` leaves nothing of them."""

    def __init__(self, host, args, config_path="", **changes):
        self.host = host
        self.id, self.folder = host.bundle(args, **changes)
        self.address = host.start(self.id, self.folder)
        self.task = shim.task.Task(self.address)
        self.config_path = config_path

    def create(self, **streams):
        return self.task.create(self.id, self.folder, config_path=self.config_path, **streams)

    def end(self):
        try:
            self.task.code("Kill", [(3, 9), (4, True)], id=self.id)
            self.task.code("Wait", id=self.id, timeout=30)
            self.task.code("Delete", id=self.id)
            self.task.code("Shutdown", id=self.id)
        except (shim.ttrpc.Closed, OSError):
            pass
        finally:
            self.task.client.close()
            self.host.delete(self.id, self.folder)
            print(f"log of {self.id}:", self.host.log(self.id), sep="\n")  # shown when a test fails


@pytest.fixture
def created(host):
    """created(args, ...) makes a bundle and starts its shim; nothing is created yet."""
    made = []

    def make(args, **options):
        made.append(Created(host, args, **options))
        return made[-1]

    yield make
    for item in made:
        item.end()


@pytest.fixture(scope="module")
def running(host):
    """One sleeping container for tests that do not end it."""
    item = Created(host, ["sleep", "1000"])
    item.create()
    item.task.start(item.id)
    yield item
    item.end()
