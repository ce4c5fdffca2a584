"""kata-monitor on a free port of the loopback, and requests to it."""
import gzip
import pathlib
import re
import socket
import time
import urllib.error
import urllib.request

from bed import places, run


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Monitor:
    """Owns the process. `sandboxes`: a folder that it sees in place of the host's /run/vc/sbs."""

    def __init__(self, sandboxes=None):
        self.port = free_port()
        argv = [places.bin_dir() / "kata-monitor", "--listen-address", f"127.0.0.1:{self.port}"]
        if sandboxes:
            pathlib.Path("/run/vc/sbs").mkdir(parents=True, exist_ok=True)
            script = 'mount --bind "$0" /run/vc/sbs && exec "$@"'
            argv = ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, sandboxes, *argv]
        self.process = run.Background(argv)
        self.pid = self.process.pid
        self.process.wait_for("monitor serves", 10, "err")

    def get(self, path, accept="text/plain", timeout=30, **headers):
        """(status, headers, text) of a page; gzip is undone."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", headers={"Accept": accept, **headers})
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            answer = opener.open(request, timeout=timeout * run.PATIENCE)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            data = answer.read()
            if answer.headers.get("Content-Encoding") == "gzip":
                data = gzip.decompress(data)
            return answer.status, answer.headers, data.decode()

    def scrape(self, path="/metrics", **options):
        """(seconds, text) of a page with status 200, taken as Prometheus takes it."""
        began = time.monotonic()
        status, _, text = self.get(path, **{"Accept-Encoding": "gzip"}, **options)
        assert status == 200, text
        return time.monotonic() - began, text

    def rss(self):
        """Bytes of resident memory at most, so far."""
        return int(re.search(r"VmHWM:\s+(\d+)", pathlib.Path(f"/proc/{self.pid}/status").read_text())[1]) * 1024

    def close(self):
        self.process.close()


def value(text, name, **labels):
    """The number of the one sample with that name and at least these labels."""
    found = []
    for line in text.splitlines():
        if line.startswith((name + "{", name + " ")) and all(f'{k}="{v}"' in line for k, v in labels.items()):
            found.append(float(line.rsplit(" ", 1)[1]))
    assert len(found) == 1, f"{len(found)} samples of {name} with {labels}"
    return found[0]
