"""Command line of the shim: -v, -info, unknown flags."""
from bed import run, wire


def test_version(host):
    result = run.run([host.binary, "-v"], timeout=10, env=host.environment()).ok()
    assert result.out.startswith('Kata Containers containerd shim (C++): id: "io.containerd.kata.v2", version: 4.')
    assert ", commit: " in result.out and result.out.count("\n") == 1


def test_info(host):
    """shim-v2 2.5: RuntimeInfo with a name and a version."""
    result = run.run([host.binary, "-info"], timeout=10, env=host.environment(), stdin=b"", text=False).ok()
    info = wire.decode(result.out)
    assert wire.text(info, 1) and wire.text(wire.decode(wire.first(info, 2)), 1)


def test_unknown_flag(host):
    result = run.run([host.binary, "-no-such-flag"], timeout=10, env=host.environment())
    assert result.code not in (0, None) and result.err


def test_double_dash_and_equals(host):
    assert run.run([host.binary, "--v"], timeout=10, env=host.environment()).code == 0
    assert run.run([host.binary, "-version=true"], timeout=10, env=host.environment()).code in (0, 1, 2)
