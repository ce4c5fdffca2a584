"""configuration.toml files for the shim, by default a short one as an administrator would write it."""
import os
import shutil

from bed import places

QEMU = "hypervisor.qemu"
AGENT = "agent.kata"
RUNTIME = "runtime"


def virtiofsd():
    for path in ("/usr/libexec/virtiofsd", "/usr/lib/qemu/virtiofsd"):
        if os.path.exists(path):
            return path
    return shutil.which("virtiofsd") or "/usr/lib/qemu/virtiofsd"


def default_sections():
    guest = places.guest_artefacts()
    return {
        QEMU: {
            "path": shutil.which("qemu-system-x86_64") or "/usr/bin/qemu-system-x86_64",
            "kernel": guest["KATA_KERNEL"],
            "initrd": guest["KATA_INITRD"],
            "machine_type": "q35",
            "default_vcpus": 1,
            "default_memory": 256,
            "shared_fs": "virtio-fs",
            "virtio_fs_daemon": virtiofsd(),
        },
        AGENT: {},
        RUNTIME: {},
    }


def toml_value(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(toml_value, value)) + "]"
    return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'


def toml(sections):
    lines = []
    for name, keys in sections.items():
        lines.append(f"[{name}]")
        lines += [f"{key} = {toml_value(value)}" for key, value in keys.items()]
        lines.append("")
    return "\n".join(lines)


def write(path, changes=None):
    """Writes the default configuration with changes {section: {key: value}}; None removes a key."""
    sections = default_sections()
    for section, keys in (changes or {}).items():
        target = sections.setdefault(section, {})
        for key, value in keys.items():
            if value is None:
                target.pop(key, None)
            else:
                target[key] = value
    with open(path, "w") as out:
        out.write(toml(sections))
    return str(path)
