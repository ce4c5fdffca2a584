"""kata-runtime iptables and policy: through the shim's management socket to the agent."""
import pytest

from bed import containerd as cd
from bed import iptables, kata_config

PRIMARY_ONLY = True

if cd.kata_runtime() == cd.RUNC:
    pytest.skip("runc has no guest", allow_module_level=True)

RULES = """*nat
:PREROUTING ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
-A PREROUTING -p tcp -m tcp --dport 80 -j REDIRECT --to-ports 15001
-A OUTPUT -m owner --uid-owner 1337 -j RETURN
COMMIT
"""


@pytest.fixture(scope="module")
def guest(containerd, work):
    """The id of a sandbox whose guest has iptables."""
    config = kata_config.write(work / "iptables.toml", {
        kata_config.QEMU: {"initrd": iptables.initrd(work / "iptables-initrd")}})
    id = containerd.new_id()
    containerd.start_detached("tail", "-f", "/dev/null", id=id, flags=["--runtime-config-path", config])
    yield id
    containerd.remove(id)


def test_rules_are_set_and_read(kata, guest, tmp_path):
    rules = tmp_path / "rules"
    rules.write_text(RULES)
    assert kata("iptables", "set", "--sandbox-id", guest, rules).ok().out == ""
    out = kata("iptables", "get", "--sandbox-id", guest[:-1]).ok().out
    for rule in RULES.splitlines()[3:5]:
        assert rule in out, out
    # As upstream's tool is called; the rules of the other family are others.
    assert "15001" not in kata("iptables", "get", "-sandbox-id", guest, "-v6").ok().out
    text = "*filter\n-A INPUT -s fd00::1/128 -j DROP\nCOMMIT\n"
    kata("iptables", "set", "--v6", "--sandbox-id", guest, "-", stdin=text).ok()
    assert "-A INPUT -s fd00::1/128 -j DROP" in kata("iptables", "get", "--v6", "--sandbox-id", guest).ok().out


def test_what_iptables_refuses_is_told(kata, guest):
    result = kata("iptables", "set", "--sandbox-id", guest, "-", stdin="*nat\n-A NO-SUCH-CHAIN -j NOWHERE\nCOMMIT\n")
    assert result.code == 1 and "iptables-restore ended with" in result.err, result.describe()
    assert "add_iptables" not in result.err


def test_slips_of_the_caller(kata, guest, tmp_path):
    (tmp_path / "large").write_bytes(b"#" * ((1 << 20) + 1))
    for words, needle in ((["--sandbox-id", guest], "FILE"), ([tmp_path / "large"], "--sandbox-id"),
                          (["--sandbox-id", guest, tmp_path / "none"], "No such file"),
                          (["--sandbox-id", guest, tmp_path / "large"], "large"),
                          (["--sandbox-id", "no-such-sandbox", "-"], "no sandbox")):
        result = kata("iptables", "set", *words)
        assert result.code == 1 and needle in result.err, result.describe()
    assert kata("iptables").code == 1 and kata("iptables", "list").code == 1


def test_a_guest_without_the_programs(kata, container):
    id = container("tail", "-f", "/dev/null")
    for words in (["get", "--sandbox-id", id], ["set", "--sandbox-id", id, "-"]):
        result = kata("iptables", *words)
        assert result.code == 1 and "the guest image has none of" in result.err, result.describe()
        assert "add_iptables.py" in result.err and "init container" in result.err


def test_a_policy_is_refused_and_never_ignored(kata, guest, tmp_path):
    policy = tmp_path / "policy.rego"
    policy.write_text("package agent_policy\ndefault CreateContainerRequest := true\n")
    result = kata("policy", "set", "--sandbox-id", guest, policy)
    assert result.code == 1 and "no policy engine" in result.err and "none is enforced" in result.err
    result = kata("policy", "set", policy)
    assert result.code == 1 and "--sandbox-id" in result.err
