"""Configuration text of a private CRI-O: everything that it would keep in its usual places is below the work folder."""
import sys

from bed import places

sys.path.insert(0, str(places.REPO / "deploy"))

from installer import crio as installed  # noqa: E402

TEXT = """[crio]
root = "{work}/root"
runroot = "{work}/state"
storage_driver = "overlay"
log_dir = "{work}/logs"
version_file = "{work}/version"
version_file_persist = ""
clean_shutdown_file = "{work}/clean"
[crio.api]
listen = "{socket}"
stream_address = "127.0.0.1"
stream_port = "0"
[crio.runtime]
log_level = "debug"
default_runtime = "runc"
cgroup_manager = "cgroupfs"
conmon_cgroup = "pod"
apparmor_profile = "unconfined"
container_exits_dir = "{work}/exits"
container_attach_socket_dir = "{work}/attach"
namespaces_dir = "{work}/ns"
hooks_dir = ["{work}/hooks"]
pinns_path = "{pinns}"
[crio.runtime.runtimes.runc]
runtime_path = "{work}/bin/runc"
runtime_type = "oci"
runtime_root = "{work}/runc"
monitor_path = "{conmon}"
monitor_cgroup = "pod"
[crio.image]
pause_image = "{pause}"
pause_command = "/pause"
signature_policy = "{work}/policy.json"
[crio.network]
network_dir = "{work}/cni"
plugin_dirs = ["/usr/lib/cni"]
[crio.nri]
enable_nri = false
"""

# containers/storage reads a file of its own first.
STORAGE = """[storage]
driver = "overlay"
graphroot = "{work}/root"
runroot = "{work}/state"
"""

# CRI-O asks for a score and, for privileged containers, for capabilities that a confined host cannot give.
RUNC = """#!/usr/bin/python3
import json, os, sys
bounding = int([line for line in open("/proc/self/status") if line.startswith("CapBnd")][0].split()[1], 16)

def confine(path, of):
    whole = json.load(open(path))
    process = of(whole)
    process["oomScoreAdj"] = max(0, process.get("oomScoreAdj", 0))
    for names in (process.get("capabilities") or {{}}).values():
        if not bounding & 1 << 24 and "CAP_SYS_RESOURCE" in names:
            names.remove("CAP_SYS_RESOURCE")
    json.dump(whole, open(path, "w"))

for word, following in zip(sys.argv, sys.argv[1:]):
    if word == "--bundle":
        confine(following + "/config.json", lambda spec: spec["process"])
    if word in ("-p", "--process"):
        confine(following, lambda process: process)
os.execv({runc!r}, ["runc"] + sys.argv[1:])
"""


def handlers(kata_config):
    """The drop-in of our installer, for the build folder."""
    return installed.text(places.build_dir(), {name: kata_config for name in installed.HANDLERS})
