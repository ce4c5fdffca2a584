"""A container that owns its guest still cannot write what was shared with it read-only."""
import pytest

from bed import containerd as cd

PRIMARY_ONLY = True

if cd.kata_runtime() == cd.RUNC:
    pytest.skip("a privileged runc container owns the host", allow_module_level=True)


def test_read_only_mount_is_enforced_on_the_host(containerd, tmp_path):
    (tmp_path / "file").write_text("original\n")
    script = "mount -o remount,rw,bind /ro; echo changed > /ro/file; echo x > /ro/new; rm -f /ro/file; cat /ro/file"
    result = containerd.run("sh", "-c", script, flags=[
        "--privileged", "--mount", f"type=bind,src={tmp_path},dst=/ro,options=rbind:ro"])
    assert (tmp_path / "file").read_text() == "original\n", result.describe()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file"]


def test_links_in_a_writable_share_lead_nowhere_on_the_host(containerd, tmp_path):
    """A link made by the guest is data: the next mount of the share must not follow it."""
    share, secret = tmp_path / "share", tmp_path / "secret"
    share.mkdir()
    secret.write_text("of the host\n")
    mount = ["--mount", f"type=bind,src={share},dst=/share,options=rbind:rw"]
    containerd.run("ln", "-s", str(secret), "/share/link", flags=mount).ok()
    result = containerd.run("cat", "/share/link", flags=mount)
    assert "of the host" not in result.out and secret.read_text() == "of the host\n"


def test_device_nodes_made_in_a_share_are_not_devices_of_the_host(containerd, tmp_path):
    mount = ["--privileged", "--mount", f"type=bind,src={tmp_path},dst=/share,options=rbind:rw"]
    result = containerd.run("sh", "-c", "mknod /share/disk b 254 0; stat -c %F /share/disk; "
                            "head -c 16 /share/disk | wc -c", flags=mount)
    assert "16" not in result.out.split(), "a block device node of the host's disk could be read"
