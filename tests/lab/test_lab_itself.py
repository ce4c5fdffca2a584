"""The lab is what it says: KVM that creates VMs, vhost-vsock, streams and exit status."""


def test_devices_streams_and_status(lab):
    script = "for d in kvm vhost-vsock vhost-net net/tun; do test -c /dev/$d && echo $d; done; echo err >&2; exit 7"
    result = lab("sh", "-c", script, timeout=120)
    assert (result.code, result.out.split()) == (7, ["kvm", "vhost-vsock", "vhost-net", "net/tun"]), result.describe()
    assert "err" in result.err
