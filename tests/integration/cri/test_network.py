"""The network of a pod: its address is the guest's, reached from the node and reaching it."""
import socket

from bed import run


def test_the_address_is_the_containers(pod):
    id = pod.run("address", "sleep", "1000")
    address = pod.status().network.ip
    assert f"inet addr:{address} " in pod.sh(id, "ifconfig eth0")
    assert "10.77.0.1" in pod.sh(id, "route -n")  # the default route goes to the bridge
    pod.remove_container(id)


def test_there_and_back(pod):
    net, address = pod.daemon.net, pod.status().network.ip
    id = pod.run("web", "sh", "-c", "nc -ll -p 8081 -e cat")
    run.wait_until(lambda: pod.exec(id, "sh", "-c", "netstat -ltn | grep -q :8081").code == 0, 20, "the server listens")
    with net.inside(lambda: socket.create_connection((address, 8081), 20 * run.PATIENCE)) as client:
        client.sendall(b"hello\n")
        assert client.recv(6) == b"hello\n"

    with net.inside(lambda: socket.create_server(("10.77.0.1", 8082))) as server:
        server.settimeout(30 * run.PATIENCE)
        pod.sh(id, "echo from the pod | nc 10.77.0.1 8082 > /dev/null 2>&1 & sleep 1")
        peer, (source, _) = server.accept()
        with peer:
            assert source == address
            peer.settimeout(30 * run.PATIENCE)
            assert peer.recv(100).startswith(b"from")
    pod.remove_container(id)
