"""Where the tree, the build, the cache and the guest artefacts lie.

Environment, all optional:
  KATA_BUILD   build folder whose bin/ holds the shim and the agent (default build/release)
  KATA_CACHE   cache of kernels and foreign packages (default /var/cache/kata-cpp)
  KATA_KERNEL, KATA_INITRD   guest artefacts (default: what scripts/guest.sh prints)
"""
import os
import pathlib
import subprocess

REPO = pathlib.Path(__file__).resolve().parents[3]


def build_dir():
    return pathlib.Path(os.environ.get("KATA_BUILD", REPO / "build" / "release"))


def bin_dir():
    return build_dir() / "bin"


def cache_dir():
    return pathlib.Path(os.environ.get("KATA_CACHE", "/var/cache/kata-cpp"))


def shim():
    return bin_dir() / "containerd-shim-kata-v2"


def agent():
    return bin_dir() / "kata-agent"


_guest = {}


def guest_artefacts():
    """The kernel and the initrd as {"KATA_KERNEL": path, "KATA_INITRD": path}.

    scripts/guest.sh builds what is missing, so the first call may take minutes.
    """
    if not _guest:
        _guest.update({k: os.environ[k] for k in ("KATA_KERNEL", "KATA_INITRD") if k in os.environ})
    if len(_guest) < 2:
        text = subprocess.run([REPO / "scripts" / "guest.sh"], check=True, stdout=subprocess.PIPE,
                              text=True, timeout=3600).stdout
        for line in text.splitlines():
            key, _, value = line.partition("=")
            _guest.setdefault(key, value)
    return _guest
