"""scripts/containerd2.sh against a fake apt: which version it takes, and what it survives."""
import os
import pathlib
import subprocess

import pytest

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "containerd2.sh"
# Offers $OFFERED; the first $BAD_MOMENTS updates fail. A package is a text with its version.
FAKES = {
    "apt-get": """#!/bin/sh
echo "$*" >> $STATE/calls
case "$*" in
*update*) n=$(cat $STATE/updates 2>/dev/null || echo 0); echo $((n + 1)) > $STATE/updates; [ $n -ge $BAD_MOMENTS ] ;;
*download*) for last; do :; done; echo "${last#*=}" > containerd_x.deb ;;
esac""",
    "apt-cache": """#!/bin/sh
for v in $OFFERED; do echo "containerd | $v | http://mirror sid/main amd64 Packages"; done""",
    "dpkg": """#!/bin/sh
[ "$1" = -x ] || { echo amd64; exit; }
mkdir -p "$3/usr/bin"
printf '#!/bin/sh\\necho containerd v%s\\n' "$(cat "$2")" > "$3/usr/bin/containerd"
chmod 755 "$3/usr/bin/containerd\"""",
}


@pytest.fixture
def fetch(tmp_path):
    for name, text in FAKES.items():
        tool = tmp_path / "bin" / name
        tool.parent.mkdir(exist_ok=True)
        tool.write_text(text)
        tool.chmod(0o755)

    def run(offered, bad_moments=0):
        environment = {"PATH": f"{tmp_path}/bin:/usr/sbin:/usr/bin:/sbin:/bin", "STATE": str(tmp_path), "OFFERED": offered,
                       "BAD_MOMENTS": str(bad_moments), "KATA_CACHE": str(tmp_path / "cache"), "KATA_RETRY_PAUSE": "0"}
        return subprocess.run([SCRIPT], env=environment, capture_output=True, text=True, timeout=60, check=False)

    yield run
    assert not [name for name in os.listdir(tmp_path / "cache") if ".work." in name]


def version(result):
    assert result.returncode == 0, result.stderr
    folder = pathlib.Path(result.stdout.strip())
    return subprocess.run([folder / "containerd"], capture_output=True, text=True, check=True).stdout.split()[-1]


def test_takes_the_wanted_version(fetch):
    assert version(fetch("2.2.0-1 2.1.9+ds1-5 2.1.90-1 1.7.24-1")) == "v2.1.9+ds1-5"


def test_takes_the_newest_2x_when_the_wanted_one_is_gone(fetch):
    result = fetch("2.3.1-2 2.2.0-1 1.7.24-1")
    assert version(result) == "v2.3.1-2"
    assert "containerd 2.3.1-2" in result.stderr and "not offered any more" in result.stderr


def test_survives_bad_moments_of_the_mirror(fetch):
    result = fetch("2.1.9-1", bad_moments=3)
    assert version(result) == "v2.1.9-1"
    assert "try 1 of 3" in result.stderr


def test_a_cached_copy_needs_no_network(fetch, tmp_path):
    fetch("2.1.9-1")
    calls = (tmp_path / "calls").read_text()
    assert version(fetch("", bad_moments=1000)) == "v2.1.9-1"
    assert (tmp_path / "calls").read_text() == calls


def test_says_so_when_there_is_none(fetch):
    result = fetch("1.7.24-1")
    assert result.returncode == 69 and result.stdout == ""  # the tests with it are skipped then
    assert "no containerd 2.x could be fetched" in result.stderr and "KATA_CONTAINERD=1.6" in result.stderr


def test_a_broken_machine_is_another_failure(fetch, tmp_path):
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "containerd2.lock").mkdir()
    result = fetch("2.1.9-1")
    assert result.returncode not in (0, 69) and result.stdout == ""
