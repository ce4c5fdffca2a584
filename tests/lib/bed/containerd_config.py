"""Configuration texts of the private containerds.

Everything containerd would keep in its usual places goes below the work folder, so that the
system's own containerd is left alone. The CRI plugin is off: these tests speak through ctr.
"""

OLD = """version = 2
root = "{work}/root"
state = "{work}/state"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
  address = "{socket}"
[debug]
  level = "debug"
[plugins."io.containerd.internal.v1.opt"]
  path = "{work}/opt"
"""

NEW = """version = 3
root = "{work}/root"
state = "{work}/state"
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.cri.v1.runtime",
                    "io.containerd.cri.v1.images", "io.containerd.nri.v1.nri"]
[grpc]
  address = "{socket}"
[debug]
  level = "debug"
[plugins.'io.containerd.internal.v1.opt']
  path = "{work}/opt"
"""


def text(version, work, socket):
    return (OLD if version.startswith("1") else NEW).format(work=work, socket=socket)
