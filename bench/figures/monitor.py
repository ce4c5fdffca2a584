"""kata-monitor on a node with 200 sandboxes: time of a scrape, and its memory."""
import pathlib
import tempfile

from bed import fake_shims, monitor
from harness.figure import MIB, Figure

NAME = "monitor"
TITLE = "kata-monitor with 200 sandboxes"
SANDBOXES = 200


def measure(bench):
    with tempfile.TemporaryDirectory(prefix="km", dir="/tmp") as folder:
        shims = fake_shims.FakeShims(pathlib.Path(folder))
        text = fake_shims.figures()
        for number in range(SANDBOXES):
            shims.add(f"{number:064x}", text, f'{{"uid":"{number:036x}","name":"pod-{number}","namespace":"default"}}')
        seen = monitor.Monitor(folder)
        try:
            packed = [seen.scrape()[0] for _ in range(bench.count(20, 3))]
            rss = seen.rss()
        finally:
            seen.close()
            shims.close()
    how = (f"{SANDBOXES} made-up shims with {len(text) // 1024} KiB of figures each; one GET of /metrics with gzip, until "
           "the answer is read and unpacked")
    return [
        Figure("scrape of 200 sandboxes", "s", how, packed, limit=1),
        Figure("RSS at most", "MiB", "VmHWM after these scrapes", [rss / MIB], limit=20),
    ]
