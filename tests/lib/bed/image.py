"""Images without a registry: a busybox root folder and OCI archives for `ctr image import`."""
import gzip
import hashlib
import io
import json
import os
import pathlib
import shutil
import subprocess
import tarfile

from bed import run

BUSYBOX = "local.test/busybox:latest"
LAYERED = "local.test/layered:latest"
EMPTY = "local.test/empty:latest"
NO_LAYERS = "local.test/no-layers:latest"
PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

_ETC = {
    "passwd": "root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1:daemon:/usr/sbin:/bin/false\n"
              "user:x:1000:1000:user:/home:/bin/sh\nnobody:x:65534:65534:nobody:/home:/bin/false\n",
    "group": "root:x:0:\ndaemon:x:1:\nuser:x:1000:\nextra:x:2000:user\nnobody:x:65534:\n",
    "hostname": "image\n",
}


def make_busybox_rootfs(folder):
    """A root folder of the machine's static busybox.

    Applets are hard links: were they symbolic links, masking /bin/ls would mask every applet.
    """
    folder = pathlib.Path(folder)
    for name in ("bin", "sbin", "usr/bin", "usr/sbin", "etc", "dev", "proc", "sys", "run", "tmp", "root",
                 "home", "var", "mnt", "data"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "tmp").chmod(0o1777)
    (folder / "root").chmod(0o700)
    os.chown(folder / "home", 1000, 1000)
    source = shutil.which("busybox")
    binary = folder / "bin" / "busybox"
    shutil.copy(source, binary)
    binary.chmod(0o755)
    applets = subprocess.run([source, "--list"], check=True, capture_output=True, text=True).stdout
    for applet in applets.split():
        if applet != "busybox":
            os.link(binary, folder / "bin" / applet)
    for name, text in _ETC.items():
        (folder / "etc" / name).write_text(text)
    return folder


def _layer(folder):
    """A tar of the folder's content with fixed times and names: the digest is reproducible."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for path in sorted(pathlib.Path(folder).rglob("*")):
            info = tar.gettarinfo(path, str(path.relative_to(folder)))
            if info is None:  # a socket
                continue
            info.mtime, info.uname, info.gname = 0, "", ""
            if info.isreg():
                with open(path, "rb") as source:
                    tar.addfile(info, source)
            else:
                tar.addfile(info)
    return data.getvalue()


class _Archive:
    """Collects blobs and writes the OCI layout."""

    def __init__(self):
        self.blobs = {}

    def put(self, data, media_type):
        digest = hashlib.sha256(data).hexdigest()
        self.blobs[digest] = data
        return {"mediaType": media_type, "digest": "sha256:" + digest, "size": len(data)}

    def put_json(self, value, media_type):
        return self.put(json.dumps(value, sort_keys=True).encode(), media_type)

    def write(self, out, index):
        with tarfile.open(out, "w") as tar:
            files = {"oci-layout": b'{"imageLayoutVersion":"1.0.0"}', "index.json": json.dumps(index).encode()}
            files.update({f"blobs/sha256/{name}": data for name, data in sorted(self.blobs.items())})
            for name, data in files.items():
                info = tarfile.TarInfo(name)
                info.size, info.mode = len(data), 0o644
                tar.addfile(info, io.BytesIO(data))


def make_oci_archive(out, reference, layers, command=("sh",), **config):
    """Writes an OCI archive whose layers are the given folders (none at all is allowed)."""
    prefix, archive = "application/vnd.oci.image", _Archive()
    raw = [_layer(folder) for folder in layers]
    parts = [archive.put(gzip.compress(data, 1, mtime=0), f"{prefix}.layer.v1.tar+gzip") for data in raw]
    platform = {"architecture": {"x86_64": "amd64", "aarch64": "arm64"}[os.uname().machine], "os": "linux"}
    image = archive.put_json({
        **platform, "created": "1970-01-01T00:00:00Z",
        "config": {"Env": [PATH], "Cmd": list(command), **config},
        "rootfs": {"type": "layers",
                   "diff_ids": ["sha256:" + hashlib.sha256(data).hexdigest() for data in raw]},
    }, f"{prefix}.config.v1+json")
    manifest = archive.put_json({"schemaVersion": 2, "mediaType": f"{prefix}.manifest.v1+json",
                                 "config": image, "layers": parts}, f"{prefix}.manifest.v1+json")
    manifest.update(platform=platform, annotations={
        "io.containerd.image.name": reference, "org.opencontainers.image.ref.name": reference.rsplit(":")[-1]})
    archive.write(out, {"schemaVersion": 2, "mediaType": f"{prefix}.index.v1+json", "manifests": [manifest]})
    return out


def make_test_images(folder):
    """The archives every private containerd gets; returns their paths and the root folder."""
    folder = pathlib.Path(folder)
    rootfs = make_busybox_rootfs(folder / "rootfs")
    second, third, empty = folder / "second", folder / "third", folder / "empty-layer"
    (second / "data").mkdir(parents=True)
    (second / "data" / "a").write_text("second\n")
    (second / "data" / "b").write_text("second\n")
    (third / "data").mkdir(parents=True)
    (third / "data" / "a").write_text("third\n")
    (third / "data" / ".wh.b").write_text("")  # a whiteout: b is gone in the last layer
    empty.mkdir()
    archives = [
        make_oci_archive(folder / "busybox.tar", BUSYBOX, [rootfs]),
        make_oci_archive(folder / "layered.tar", LAYERED, [rootfs, second, third]),
        make_oci_archive(folder / "empty.tar", EMPTY, [empty]),
        make_oci_archive(folder / "no-layers.tar", NO_LAYERS, []),
    ]
    return archives, rootfs


def copy_rootfs(rootfs, target):
    """A private copy that keeps owners, modes and hard links."""
    run.run(["cp", "-a", rootfs, target]).ok()
    return pathlib.Path(target)
