"""A service mesh's pattern: an init container redirects the ports of its pod to a proxy beside the application."""
import pathlib
import socket
import tempfile

import pytest

from bed import image, iptables, run
from bed.pod import Pod

PROXY = "local.test/iptables:latest"
PORT, OUT, APPLICATION_PORT = 15006, 15001, 8080

# In the way of Istio's init container: all but what the proxy's own user sends.
REDIRECT = f"""iptables -t nat -N IN && iptables -t nat -A PREROUTING -p tcp --dport {APPLICATION_PORT} -j IN &&
iptables -t nat -A IN -p tcp -j REDIRECT --to-ports {PORT} &&
iptables -t nat -A OUTPUT -p tcp -m owner --uid-owner 1337 -j RETURN &&
iptables -t nat -A OUTPUT -p tcp -d 10.77.0.1 -j REDIRECT --to-ports {OUT} && iptables-save -t nat"""


@pytest.fixture(scope="module")
def mesh_image(cri_daemon, work, rootfs):
    """busybox with Debian's iptables."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="mesh", dir=work))
    archive = image.make_oci_archive(folder / "mesh.tar", PROXY, [rootfs, iptables.layer(folder / "layer")])
    cri_daemon.ctr("image", "import", archive).ok()
    run.wait_until(lambda: any(PROXY in line and "io.cri-containerd.image" in line
                               for line in cri_daemon.ctr("image", "ls").out.splitlines()),
                   30, "the CRI plugin knows the image")
    return PROXY


def ask(address, port):
    with socket.create_connection((address, port), 20 * run.PATIENCE) as client:
        client.settimeout(20 * run.PATIENCE)
        return client.recv(100).decode()


def test_an_init_container_redirects_the_ports_of_the_others(cri_daemon, handler, mesh_image):
    with Pod(cri_daemon, handler) as pod:
        refused = pod.run_to_end("refused", "iptables", "-t", "nat", "-L", ref=mesh_image)
        assert refused.exit_code != 0  # without the capability
        done = pod.run_to_end("init", "sh", "-c", REDIRECT, ref=mesh_image, linux={
            "security_context": {"capabilities": {"add_capabilities": ["NET_ADMIN", "NET_RAW"]}}})
        assert done.exit_code == 0, pod.output("init", stream="stderr")
        assert f"--to-ports {PORT}" in pod.output("init")
        pod.run("application", "sh", "-c", f"nc -ll -p {APPLICATION_PORT} -e echo the application")
        proxy = pod.run("proxy", "sh", "-c", f"nc -ll -p {PORT} -e echo the proxy & nc -ll -p {OUT} -e echo the way out",
                        linux={"security_context": {"run_as_user": {"value": 1337}}})
        run.wait_until(lambda: pod.exec(proxy, "sh", "-c", f"netstat -ltn | grep -c -e :{PORT} -e :{OUT} -e "
                                        f":{APPLICATION_PORT}").out.strip() == "3", 30, "all three listen")
        # From the node, and from the application to the node.
        net, address = cri_daemon.net, pod.status().network.ip
        assert net.inside(lambda: ask(address, APPLICATION_PORT)) == "the proxy\n"
        client = pod.run("client", "sleep", "1000")
        assert "the way out" in pod.sh(client, "nc 10.77.0.1 9999 </dev/null")
        # The proxy's user is let through: nobody listens there.
        assert "the way out" not in pod.exec(proxy, "nc", "-w", "5", "10.77.0.1", "9999").out
        # Whoever is in the pod still reaches the application.
        assert "the application" in pod.sh(client, f"nc 127.0.0.1 {APPLICATION_PORT} </dev/null")
