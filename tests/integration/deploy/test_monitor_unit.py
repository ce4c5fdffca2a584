"""kata-monitor as a service: the unit is understood, hardened, in place and not enabled; the monitor needs none of what it forgoes."""
import os
import re
import shutil
import socket
import subprocess
import urllib.request

import pytest

from bed import places, run
from bed.installer import Node

UNIT = "share/systemd/kata-monitor.service"

needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze")


@pytest.fixture
def unit(release, tmp_path):
    """The unit as installed, with a program that is there."""
    text = (release / "opt/kata" / UNIT).read_text()
    assert "ExecStart=/opt/kata/bin/kata-monitor" in text and "@" not in re.sub(r"=~?@.*", "", text)
    path = tmp_path / "kata-monitor.service"
    path.write_text(text.replace("/opt/kata/", f"{release}/opt/kata/"))
    return path


@needs_systemd
def test_systemd_understands_it(unit):
    result = run.run(["systemd-analyze", "verify", "--man=no", unit])
    assert result.code == 0 and "kata-monitor" not in result.err, result.describe()


@needs_systemd
def test_it_is_hardened(unit):
    out = run.run(["systemd-analyze", "security", "--offline=true", "--threshold=25", unit]).ok().out
    assert float(re.search(r"exposure level for kata-monitor.service: ([\d.]+)", out)[1]) < 2.5


def test_the_monitor_needs_no_capability(unit):
    if os.geteuid() != 0:
        pytest.skip("needs root")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program = re.search(r"ExecStart=(\S+)", unit.read_text())[1]
    argv = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs", program, "--listen-address", f"127.0.0.1:{port}"]
    with subprocess.Popen(argv) as monitor:
        try:
            def page():
                try:
                    return urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10).read()
                except OSError:
                    return None
            assert b"kata_monitor_running_shim_count" in run.wait_until(page, 20, "the monitor answers")
            status = open(f"/proc/{monitor.pid}/status").read()
            assert re.search(r"CapEff:\s+0+\n", status), status
        finally:
            monitor.terminate()


def test_installed_and_not_enabled(release, tmp_path):
    node = Node(tmp_path / "node", release / "opt" / "kata")
    node("install", "--prefix", "/srv/kata").ok()
    link = node.root / "usr/local/lib/systemd/system/kata-monitor.service"
    assert link.readlink().as_posix() == f"/srv/kata/{UNIT}"
    assert "ExecStart=/srv/kata/bin/kata-monitor" in (node.root / "srv/kata" / UNIT).read_text()
    assert not list(node.root.glob("**/*.wants"))
    node("uninstall").ok()
    assert not (node.root / "usr").exists()


def test_runtime_endpoint_of_upstreams_units_is_accepted():
    program = places.bin_dir() / "kata-monitor"
    result = run.run([program, "--runtime-endpoint", "unix:///run/crio/crio.sock", "--listen-address", "nowhere", "-log-level", "debug"])
    assert result.code == 1 and "listen-address" in result.err, result.describe()
