"""What uninstall restores and what it cannot restore: nothing that stood there before is lost."""
import json
import shutil

from bed.installer import STAYED, picture

OWN = "opt/kata/share/defaults/kata-containers/configuration-qemu.toml"
RECORD = "var/lib/kata-containers/install"


def test_no_copy_is_written_over_by_a_later_one(node, small):
    """An upgrade drops a file, the next one replaces a foreign file: its copy has a number that was never used."""
    node.write("etc/containerd/config.toml", "version = 2\n", 0o600)
    node.write("opt/kata/share/extra.txt", "foreign\n")
    before = picture(node.root)
    gone = small / "share/gone.txt"
    gone.write_text("gone\n")
    node("install", "--containerd", "").ok()
    gone.unlink()
    node("upgrade", "--containerd", "").ok()
    (small / "share/extra.txt").write_text("extra\n")
    node("upgrade", "--containerd", "").ok()
    node("uninstall").ok()
    assert picture(node.root) == before


def test_a_copy_that_is_another_file_restores_nothing(node):
    node.write(OWN, "upstream's\n")
    node("install").ok()
    (copy,) = [path for path in (node.root / RECORD).iterdir() if path.name.isdigit()]
    copy.write_text("another\n")
    result = node("uninstall")
    assert result.code == STAYED and "is another file than the one that stood there" in result.err
    assert "another" not in (node.root / OWN).read_text()
    copy.write_text("upstream's\n")
    node("uninstall").ok()
    assert (node.root / OWN).read_text() == "upstream's\n"


def test_an_original_outlives_an_uninstall_that_left_changes(node):
    node.write(OWN, "upstream's\n", 0o640)
    before = picture(node.root)
    node("install").ok()
    changed = (node.root / OWN).read_text() + "# mine\n"
    (node.root / OWN).write_text(changed)
    result = node("uninstall")
    assert result.code == STAYED and "everything is as it was" not in result.out, result.describe()
    assert f"/{OWN} was changed after the installation and stays" in result.err and "--purge" in result.err
    assert (node.root / OWN).read_text() == changed and not (node.root / "usr").exists()
    assert "nothing is installed (uninstall left files that were changed" in node("verify").err
    assert node("upgrade").code == 1 and node("uninstall").code == STAYED
    node("install", "--prefix", "/srv/kata").ok()
    node("verify").ok()
    assert node("uninstall").code == STAYED and (node.root / OWN).read_text() == changed
    node("uninstall", "--purge").ok()
    assert picture(node.root) == before


def test_originals_come_back_into_folders_that_are_gone(node):
    node.write(OWN, "upstream's\n", 0o640)
    before = picture(node.root)
    node("install").ok()
    shutil.rmtree(node.root / "opt")
    node("uninstall").ok()
    assert picture(node.root) == before


def test_our_lines_that_were_taken_out_by_hand_are_not_missed(node):
    """A file with later changes of others and nothing of ours: that is no reason to keep the record."""
    config = node.write("etc/containerd/config.toml", "version = 2\n")
    node("install", "--containerd", "").ok()
    text = config.read_text()
    config.write_text(text.replace("privileged_without_host_devices = true", "privileged_without_host_devices = false"))
    assert node("uninstall").code == STAYED
    config.write_text("version = 2\n[debug]\n")
    node("uninstall").ok()
    assert config.read_text() == "version = 2\n[debug]\n" and not (node.root / "var").exists()


def test_a_folder_of_others_is_no_record(node):
    node.write("srv/mine", "mine\n")
    result = node("install", "--record", "/srv")
    assert result.code == 1 and "a record needs a folder of its own" in result.err
    assert list(picture(node.root)) == ["srv", "srv/mine"]


def test_a_record_of_an_older_release(node, small):
    """Without modes and without a counter; its folder and its copies were readable for everybody."""
    node.write("etc/containerd/config.toml", "version = 2\n", 0o600)
    node.write(OWN, "upstream's\n")
    before = picture(node.root)
    node("install", "--containerd", "").ok()
    record = node.root / RECORD / "record.json"
    document = json.loads(record.read_text())
    for entry in document["entries"].values():
        for name in ("mode", "uid", "gid"):
            entry["now"].pop(name, None)
        entry.pop("mark", None)
    for name in ("copies", "restart"):
        document["facts"].pop(name)
    record.write_text(json.dumps(document))
    record.parent.chmod(0o755)
    (small / "share/new").write_text("new\n")
    node("verify", "--containerd", "").ok()
    node("upgrade", "--containerd", "").ok()
    assert record.parent.stat().st_mode & 0o777 == 0o700
    node("uninstall").ok()
    assert picture(node.root) == before
