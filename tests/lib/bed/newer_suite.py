"""Programs of newer Debian suites, which the scripts of that kind unpack beside the installed ones."""
import pathlib
import subprocess

from bed import places

NOT_FETCHED = 69  # exit status of such a script (scripts/newer_suite.sh)


class Unavailable(Exception):
    """It cannot be had today: its tests are skipped, the others run."""


def unpacked(script):
    """The path that the script prints; it fetches what is not in the cache."""
    fetched = subprocess.run([places.REPO / "scripts" / script], check=False, text=True, capture_output=True, timeout=900)
    if fetched.returncode == NOT_FETCHED:
        raise Unavailable(f"scripts/{script}: {fetched.stderr[-500:]}")
    assert fetched.returncode == 0, f"scripts/{script}: status {fetched.returncode}: {fetched.stderr[-500:]}"
    return pathlib.Path(fetched.stdout.strip())
