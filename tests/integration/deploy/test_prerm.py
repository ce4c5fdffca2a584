"""What the package does before it goes: it takes back its own wiring, and no other."""
import pytest

from bed import places, run
from bed.installer import INSTALL


@pytest.fixture
def prerm(node, tmp_path):
    """The package's script upon the node that is a folder."""
    text = (places.REPO / "deploy" / "package" / "prerm").read_text()
    for there, here in (("/var/lib/", f"{node.root}/var/lib/"),
                        ("/opt/kata/deploy/install uninstall", f"{INSTALL} uninstall --root {node.root}")):
        assert text.count(there) == 1
        text = text.replace(there, here)
    (tmp_path / "prerm").write_text(text)
    return lambda *words: run.run(["sh", tmp_path / "prerm", *words]).ok()


def test_an_installation_below_another_prefix_stays(node, prerm):
    node("install", "--prefix", "/srv/kata").ok()
    assert "the installation below /srv/kata stays" in prerm("remove").out
    node("verify").ok()
    node("uninstall").ok()


@pytest.mark.parametrize("argument", ["remove", "0"])
def test_removal_takes_the_wiring_back(node, prerm, argument):
    node("install").ok()
    prerm("upgrade", "4.2")
    node("verify").ok()
    prerm(argument)
    assert list(node.root.iterdir()) == []
    prerm(argument)


def test_changed_settings_do_not_stop_a_removal(node, prerm):
    settings = "opt/kata/share/defaults/kata-containers/configuration-qemu.toml"
    node("install").ok()
    node.write(settings, "mine\n")
    assert f"/{settings} was changed after the installation and stays" in prerm("remove").err
