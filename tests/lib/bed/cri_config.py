"""Configuration texts of private containerds with the CRI plugin, for both generations."""

HANDLERS = """
[plugins.{runtime}.containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
  [plugins.{runtime}.containerd.runtimes.runc.options]
    SystemdCgroup = false
[plugins.{runtime}.containerd.runtimes.kata]
  runtime_type = "io.containerd.kata.v2"
  pod_annotations = ["io.katacontainers.*"]
  container_annotations = ["io.katacontainers.*"]
  privileged_without_host_devices = true
[plugins.{runtime}.containerd.runtimes.kata-features]
  runtime_type = "io.containerd.runc.v2"
  runtime_path = "{shim}"
[plugins.{runtime}.containerd.runtimes.kata-qemu]
  runtime_type = "io.containerd.kata-qemu.v2"
  pod_annotations = ["io.katacontainers.*"]
  [plugins.{runtime}.containerd.runtimes.kata-qemu.options]
    ConfigPath = "{kata_config}"
"""

# Pods by the Sandbox API, from containerd 2.x on: the shim makes the VM without a pause container. No options:
# containerd before 2.3.1 fails to start containers of such a handler when it has any.
SANDBOX_API = """
[plugins.{runtime}.containerd.runtimes.kata-sandbox]
  runtime_type = "io.containerd.kata.v2"
  sandboxer = "shim"
  pod_annotations = ["io.katacontainers.*"]
  container_annotations = ["io.katacontainers.*"]
  privileged_without_host_devices = true
"""

# No AppArmor: the tests do not need it. Scores: a container of an unprivileged host cannot lower them.
OLD = """version = 2
root = "{work}/root"
state = "{work}/state"
[grpc]
  address = "{socket}"
[debug]
  level = "debug"
[plugins."io.containerd.internal.v1.opt"]
  path = "{work}/opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{pause}"
  disable_apparmor = true
  restrict_oom_score_adj = true
  stream_server_address = "127.0.0.1"
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "{work}/cni"
"""

NEW = """version = 3
root = "{work}/root"
state = "{work}/state"
disabled_plugins = ["io.containerd.nri.v1.nri"]
[grpc]
  address = "{socket}"
[debug]
  level = "debug"
[plugins.'io.containerd.internal.v1.opt']
  path = "{work}/opt"
[plugins.'io.containerd.cri.v1.images'.pinned_images]
  sandbox = "{pause}"
[plugins.'io.containerd.cri.v1.runtime']
  disable_apparmor = true
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  [plugins.'io.containerd.cri.v1.runtime'.cni]
    bin_dirs = ["/usr/lib/cni"]
    conf_dir = "{work}/cni"
[plugins.'io.containerd.grpc.v1.cri']
  stream_server_address = "127.0.0.1"
"""

CNI = """{{
  "cniVersion": "1.0.0", "name": "{token}",
  "plugins": [{{
    "type": "bridge", "bridge": "kt0", "isGateway": true,
    "ipam": {{"type": "host-local", "dataDir": "{work}/ipam", "routes": [{{"dst": "0.0.0.0/0"}}],
              "ranges": [[{{"subnet": "10.77.0.0/24"}}]]}}
  }}]
}}
"""


def text(version, **words):
    old = version.startswith("1")
    runtime = '"io.containerd.grpc.v1.cri"' if old else "'io.containerd.cri.v1.runtime'"
    handlers = HANDLERS if old else HANDLERS + SANDBOX_API
    return (OLD if old else NEW).format(**words) + handlers.format(runtime=runtime, **words)


def network(**words):
    return CNI.format(**words)
