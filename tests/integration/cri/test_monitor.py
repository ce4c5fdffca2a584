"""Figures of a pod, from the shim through kata-monitor into a real Prometheus."""
import json
import os
import pathlib
import re
import socket
import stat

import pytest

from bed import monitor as km
from bed import places, prometheus, run
from bed.pod import Pod

HANDLERS = ["kata"]
PRIMARY_ONLY = True
MIB = 1 << 20


@pytest.fixture(scope="module")
def monitor():
    monitor = km.Monitor()
    yield monitor
    monitor.close()


@pytest.fixture(scope="module")
def prom(monitor, tmp_path_factory):
    prom = prometheus.Prometheus(tmp_path_factory.mktemp("prom") / "p", monitor.port)
    yield prom
    prom.close()


@pytest.fixture(scope="module")
def busy(pod):
    """A container of the pod that uses its CPU in user mode."""
    id = pod.run("busy", "sh", "-c", "while :; do :; done")
    yield id
    pod.remove_container(id)


def ask(path, request):
    """The answer to raw bytes on the shim's management socket."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(30 * run.PATIENCE)
        client.connect(str(path))
        client.sendall(request)
        answer = b""
        while piece := client.recv(65536):
            answer += piece
        return answer.decode()


def test_scrapes_cost_the_shim_nothing_that_stays(pod):
    pid = int(next(pathlib.Path(pod.daemon.work).glob(f"**/{pod.id}/shim.pid")).read_text())
    path = f"/run/vc/sbs/{pod.id}/shim-monitor.sock"

    def used():
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
        return int(re.search(r"RssAnon:\s+(\d+)", status)[1]), len(os.listdir(f"/proc/{pid}/fd"))

    before = used()
    for _ in range(60):
        assert "kata_guest_load" in ask(path, b"GET /metrics HTTP/1.1\r\n\r\n")
    after = used()
    assert after[0] - before[0] < 600 and after[1] <= before[1] + 1, (before, after)  # kB, descriptors


def test_prometheus_has_sane_numbers(pod, busy, monitor, prom):
    mine = f'sandbox_id="{pod.id}",cri_name="{pod.name}",cri_namespace="default",cri_uid="uid-{pod.name}"'

    def one(name, labels="", timeout=30):
        return prom.one(f"{name}{{{mine}{',' if labels else ''}{labels}}}", timeout)

    assert prom.one("up") == 1
    assert prom.one("kata_monitor_running_shim_count") >= 1
    # The VM has 256 MiB, of which the kernel keeps some.
    assert 150 * MIB < one("kata_guest_meminfo", 'item="mem_total"') <= 256 * MIB
    assert one("kata_hypervisor_threads") >= 2
    assert one("kata_hypervisor_proc_status", 'item="vmrss"') > 30 * MIB
    assert 1 * MIB < one("kata_shim_proc_status", 'item="vmrss"') < 40 * MIB
    assert one("kata_virtiofsd_fds") > 5
    assert one("kata_hypervisor_netdev", 'interface="lo",item="recv_bytes"') >= 0
    assert one("kata_shim_process_open_fds") > 5
    assert one("kata_agent_total_rss") < 16 * MIB
    assert one("kata_shim_rpc_durations_histogram_milliseconds_count", 'action="create"') >= 2
    assert one("kata_shim_agent_rpc_durations_histogram_milliseconds_count",
               'action="grpc.CreateContainerRequest"') >= 2
    assert one("kata_shim_start_phase_durations_histogram_milliseconds_sum", 'phase="kernel"') > 10
    # Growth over time: the guest is busy in user mode, and the agent is asked each second.
    user = f'kata_guest_cpu_time{{{mine},cpu="total",item="user"}}'
    system = f'kata_guest_cpu_time{{{mine},cpu="total",item="system"}}'
    prom.wait(f"increase({user}[20s]) > 5 * increase({system}[20s]) > 0 or increase({user}[20s]) > 100")
    prom.wait(f"increase(kata_agent_scrape_count{{{mine}}}[20s]) > 2")
    assert 0 < one("kata_shim_pod_overhead_memory_in_bytes") < 400 * MIB
    assert 0 <= one("kata_shim_pod_overhead_cpu") < 400
    assert prom.one(f'histogram_quantile(0.99, sum by (le) (rate('
                    f'kata_monitor_scrape_durations_histogram_milliseconds_bucket[20s])))') > 0


def test_every_query_of_the_dashboard_has_an_answer(pod, busy, prom):
    dashboard = json.loads((places.REPO / "share/grafana/kata-sandboxes.json").read_text())
    queries = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    assert len(queries) > 10
    for query in queries:
        for variable, text in (("$__rate_interval", "20s"), ("$namespace", ".*"), ("$pod", ".*")):
            query = query.replace(variable, text)
        prom.wait(query)


def test_command_line_and_pages(pod, busy, monitor):
    result = run.run([places.bin_dir() / "kata-runtime", "metrics", pod.id[:20]], timeout=30).ok()
    assert km.value(result.out, "kata_guest_load", item="load1") >= 0
    assert "sandbox_id" not in result.out and result.out.endswith("\n\n")
    # 3 = style: some of upstream's names are not what promtool likes. 1 = not well-formed.
    assert run.run(["/usr/bin/promtool", "check", "metrics"], stdin=result.out).code in (0, 3)
    seconds, text = monitor.scrape()
    assert seconds < 10
    assert run.run(["/usr/bin/promtool", "check", "metrics"], stdin=text).code in (0, 3)
    assert pod.id in monitor.get("/sandboxes")[2].splitlines()
    assert pod.name in monitor.get("/sandboxes", accept="text/html")[2]
    url = monitor.get(f"/agent-url?sandbox={pod.id}")[2]
    assert url.startswith(("vsock://", "hvsock:///run/vc/vm/")) and url.endswith(":1024\n")
    assert monitor.get(f"/debug/vars?sandbox={pod.id}")[0] == 404  # enable_pprof is not set


def test_the_socket_itself(pod, busy):
    path = pathlib.Path("/run/vc/sbs", pod.id, "shim-monitor.sock")
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    bundles = list(pathlib.Path(pod.daemon.work).glob(f"**/{pod.id}/monitor_address"))
    assert [bundle.read_text() for bundle in bundles] == [f"unix://{path}"]
    assert ask(path, b"GET /nothing HTTP/1.1\r\n\r\n").startswith("HTTP/1.1 404 ")
    assert ask(path, b"POST /iptables HTTP/1.1\r\n\r\n").startswith("HTTP/1.1 501 ")
    assert ask(path, b"PUT /policy HTTP/1.1\r\nContent-Length: 1\r\n\r\nx").startswith("HTTP/1.1 501 ")
    assert "Required parameter path not found" in ask(path, b"GET /direct-volume/stats HTTP/1.1\r\n\r\n")
    assert ask(path, b"GET /direct-volume/stats?path=x HTTP/1.1\r\n\r\n").startswith("HTTP/1.1 404 ")
    assert ask(path, b"\0\xff\r\n\r\n").startswith("HTTP/1.1 400 ")
    # Clients that say nothing, more than are served at once: the next one is heard all the same.
    silent = []
    for _ in range(40):
        silent.append(socket.socket(socket.AF_UNIX))
        silent[-1].connect(str(path))
    try:
        assert ask(path, b"GET /agent-url HTTP/1.1\r\n\r\n").startswith("HTTP/1.1 200 ")
    finally:
        for client in silent:
            client.close()


def test_a_pod_that_ends_is_forgotten(cri_daemon, monitor):
    with Pod(cri_daemon) as ended:
        socket_path = pathlib.Path("/run/vc/sbs", ended.id, "shim-monitor.sock")
        assert socket_path.exists()
        assert f'sandbox_id="{ended.id}"' in monitor.scrape()[1]
    assert not socket_path.exists()
    assert ended.id not in monitor.scrape()[1]
