"""Output arrives whole and in order, however much it is and whenever the container ends."""
import hashlib

PRIMARY_ONLY = True


def test_large_output_is_whole(containerd):
    script = "i=0; while [ $i -lt 64 ]; do dd if=/dev/zero bs=65536 count=1 2>/dev/null | tr '\\0' x; i=$((i+1)); done"
    out = containerd.run("sh", "-c", script, timeout=180).ok().out
    assert hashlib.sha256(out.encode()).digest() == hashlib.sha256(b"x" * (64 * 65536)).digest()


def test_last_words_are_not_lost(containerd):
    out = containerd.run("sh", "-c", "seq 1 20000; printf end").ok().out
    assert out == "".join(f"{n}\n" for n in range(1, 20001)) + "end"


def test_binary_output_is_untouched(containerd):
    argv = containerd.run_argv("sh", "-c", "printf '\\000\\377\\r\\n\\001'", flags=["--rm"])
    assert containerd.ctr(*argv, text=False, timeout=90).out == b"\x00\xff\r\n\x01"


def test_grandchild_holding_stdout_does_not_hang_the_client(containerd):
    result = containerd.run("sh", "-c", "sleep 300 & echo parent gone", timeout=90)
    assert (result.code, result.out) == (0, "parent gone\n"), result.describe()
