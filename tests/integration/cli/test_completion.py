"""Completion and the manual are made from the commands themselves."""
import shutil

from bed import run

COMPLETE = """source <(cat)
COMP_WORDS=({words} '') COMP_CWORD={count}; _kata_runtime; echo "${{COMPREPLY[*]}}"
"""


def complete(script, *words):
    text = COMPLETE.format(words=" ".join(words), count=len(words))
    return run.run(["bash", "-c", text], stdin=script).ok().out.split()


def test_bash(kata):
    script = kata("completion").ok().out
    assert {"check", "kata-check", "config", "--version"} <= set(complete(script, "kata-runtime"))
    assert {"--require-kvm", "--strict"} <= set(complete(script, "kata-runtime", "kata-check"))
    assert {"check", "show"} <= set(complete(script, "kata-runtime", "config"))
    assert "--effective" in complete(script, "kata-runtime", "config", "show")


def test_manual_of_the_configuration(kata):
    page = kata("manual", "configuration.toml").ok().out
    assert page.startswith(".TH CONFIGURATION.TOML 5")
    for words in (".B create_container_timeout\nseconds, 0 to 604800; default: 60.\n", "[hypervisor.NAME]", "Has no effect yet."):
        assert words in page
    assert shutil.which("groff") is None or not run.run(["groff", "-man", "-ww", "-z"], stdin=page).err
    assert kata("manual", "no-such-page").code == 1


def test_manual(kata):
    page = kata("manual").ok().out
    assert page.startswith(".TH KATA")
    for words in ("config check", "\\-\\-require\\-kvm", "why\\-slow"):
        assert words in page
    assert shutil.which("groff") is None or not run.run(["groff", "-man", "-ww", "-z"], stdin=page).err
