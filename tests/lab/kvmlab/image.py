"""The initramfs of the lab: busybox, the two stages, the early modules and the command."""
import pathlib
import secrets
import shlex
import sys

from kvmlab import kernel

sys.path.insert(0, str(kernel.REPO / "guest" / "initrd"))

import cpio  # noqa: E402
import modules as guest_modules  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent


def new_mark():
    """What ends both output streams, followed by the exit status; no command can print it by chance."""
    return "kvm-lab-end-" + secrets.token_hex(12)


def busybox():
    for path in ("/bin/busybox", "/usr/bin/busybox"):
        if pathlib.Path(path).exists():
            data = pathlib.Path(path).read_bytes()
            if b"/ld-linux" in data[:4096]:
                break
            return data
    raise kernel.LabError("no static busybox (package busybox-static)")


def command_text(options):
    environment = {"HOME": "/root", "TERM": "dumb", "LANG": "C.UTF-8", "KVM_LAB": "1",
                   "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
    environment.update(item.split("=", 1) for item in options.env)
    lines = [f"export {key}={shlex.quote(value)}" for key, value in environment.items()]
    return "\n".join([*lines, f"cd {shlex.quote(options.chdir)}", f"exec {shlex.join(options.command)}", ""])


def build(options, mark, shares, modules_folder):
    tree = guest_modules.ModuleTree(modules_folder)
    early = tree.load_order(kernel.EARLY)
    archive = cpio.Archive()
    for folder in ("bin", "dev", "proc", "sys", "lab"):
        archive.directory(folder)
    archive.file("bin/busybox", busybox(), 0o755)
    archive.file("init", (HERE / "stage1.sh").read_bytes(), 0o755)
    texts = {
        "stage2": (HERE / "stage2.sh").read_text(),
        "command": command_text(options),
        "mark": mark,
        "tmpfs": "\n".join(options.tmpfs),
        "late": "\n".join(kernel.LATE),
        "modules": str(modules_folder.parents[2]),
        "shares": "".join(f"{tag} {folder}\n" for tag, folder in shares),
        "early": "\n".join(f"{name}.ko" for name in early),
    }
    for name, text in texts.items():
        archive.file(f"lab/{name}", text.encode())
    for name in early:
        archive.file(f"lab/{name}.ko", tree.read(name))
    return archive.to_bytes()
