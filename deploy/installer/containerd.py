"""containerd's configuration: what has to stand in it, and where it can stand without breaking the rest.

Version 3 (containerd 2.x): a drop-in of ours and one `imports` entry. Versions 1 and 2: our tables at
the end of the file itself, because containerd 1.x replaces a plugin's whole section by an imported one,
and the administrator's settings of the CRI plugin would be lost. Every change is one piece of text that is
added; what the file said before it still says, which is proven by reading both texts, and, where the
program is there, by asking containerd itself.
"""
import difflib
import fnmatch
import pathlib
import re
import tomllib

from installer import host as node
from installer.former import Former
from installer.host import Refused, say

CONFIG = "/etc/containerd/config.toml"
HANDLERS = ("kata", "kata-qemu")
CRI = {1: ("cri",), 2: ("io.containerd.grpc.v1.cri",), 3: ("io.containerd.cri.v1.runtime",)}
CRI_PLUGINS = ("cri", "io.containerd.grpc.v1.cri", "io.containerd.cri.v1.runtime", "io.containerd.cri.v1.images")
BEGIN, END = "# kata-containers: begin (deploy/install uninstall takes it back)", "# kata-containers: end"


def generation(containerd):
    """1 or 2, or None when there is no containerd to ask."""
    status, out, _ = node.run([containerd, "--version"]) if containerd else (1, "", "")
    found = re.search(r"\sv?(\d+)\.\d+", out)
    return (1 if int(found[1]) < 2 else 2) if status == 0 and found else None


def _header(version, *names):
    plugin = CRI[version][0]
    return "[plugins." + ".".join([plugin if version == 1 else f'"{plugin}"', "containerd", "runtimes", *names]) + "]"


def _handler(version, handler, config_path):
    text = f"""{_header(version, handler)}
  runtime_type = "io.containerd.{handler}.v2"
  privileged_without_host_devices = true
  pod_annotations = ["io.katacontainers.*"]
  container_annotations = ["io.katacontainers.*"]
"""
    if config_path:
        text += f"""  {_header(version, handler, "options")}
    ConfigPath = "{config_path}"
"""
    return text


def _runtimes(document, version):
    table = document
    for name in ("plugins", *CRI[version], "containerd", "runtimes"):
        table = table.get(name, {}) if isinstance(table, dict) else {}
    return table if isinstance(table, dict) else {}


def tables(version, document, config_paths):
    """Our tables, without the handlers that the administrator has already."""
    present = _runtimes(document, version)
    missing = [name for name in HANDLERS if name not in present]
    for name in sorted(set(HANDLERS) - set(missing)):
        say(f"containerd: the handler {name} is in the configuration already and stays as it is")
    text = "".join(_handler(version, name, config_paths.get(name)) for name in missing)
    if missing and version < 3 and not present:
        # containerd 1.x knows its default handler only as long as no other is named.
        text += f'{_header(version, "runc")}\n  runtime_type = "io.containerd.runc.v2"\n'
    return text


def parse(text, path):
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Refused(f"{path} is not valid TOML ({error}); correct it first, it was not touched") from error
    version = document.get("version", 1)
    if version not in CRI:
        raise Refused(f"{path} has version {version!r}; versions 1, 2 and 3 are known")
    return document, version


def merged(a, b):
    """Both documents; lists are joined."""
    result = dict(a)
    for key, value in b.items():
        old = result.get(key)
        result[key] = merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else \
            value + old if isinstance(old, list) and isinstance(value, list) else value
    return result


def _imports(document, folder, drop_in):
    return any(fnmatch.fnmatch(drop_in, entry if entry.startswith("/") else f"{folder}/{entry}")
               for entry in document.get("imports", []))


def with_import(text, document, drop_in):
    """(offset, text) that makes the file import the drop-in."""
    if "imports" in document:
        found = re.search(r"""^[ \t]*(["']?)imports\1[ \t]*=[ \t]*\[""", text, re.MULTILINE)
        return (found.end(), f'"{drop_in}"' + (", " if document["imports"] else "")) if found else (0, "")
    found = re.search(r"""^[ \t]*(["']?)version\1[ \t]*=[^\n]*""", text, re.MULTILINE)
    line = f'imports = ["{drop_in}"]'
    return (found.end(), f"\n{line}") if found else (0, f"{line}\n")


class Plan:
    """What is going to change, decided and proven before anything does."""

    def __init__(self, host, record, path, containerd, config_paths):
        self.host, self.record, self.containerd = host, record, containerd
        self.path = host.follow(path)
        self.folder = str(pathlib.PurePosixPath(self.path).parent)
        self.drop_in = f"{self.folder}/conf.d/kata-containers.toml"
        self.current = self._read()
        self.text = record.without_ours(self.path, self.current or "")
        if self.current is None:
            self.text = "version = 3\n" if generation(containerd) == 2 else "version = 2\n"
        self.document, self.version = parse(self.text, self.path)
        self.drop_in_text, self.at, self.inserted, self.mark = "", 0, "", None
        self.had_handlers = bool(_runtimes(self.document, self.version))
        ours = tables(self.version, self.document, config_paths)
        if ours and self.version == 3:
            self._plan_drop_in(ours)
        elif ours:
            glue = "" if self.text.endswith("\n") or not self.text else "\n"
            self.at, self.inserted, self.mark = len(self.text), f"{glue}{BEGIN}\n{ours}{END}\n", "io.containerd.kata"
            self._prove(tomllib.loads(ours))

    def _read(self):
        real = self.host.at(self.path)
        if not real.exists():
            return None
        try:
            return real.read_bytes().decode()
        except UnicodeDecodeError as error:
            raise Refused(f"{self.path} is not UTF-8 text ({error}); it was not touched") from error

    def _plan_drop_in(self, ours):
        self.drop_in_text = f"# Written by deploy/install; taken back by uninstall.\nversion = 3\n\n{ours}"
        if not _imports(self.document, self.folder, self.drop_in):
            self.at, self.inserted = with_import(self.text, self.document, self.drop_in)
            self.mark = self.drop_in
            self._prove({"imports": [self.drop_in]})

    def paths(self):
        return {self.drop_in, self.path}

    def new_text(self):
        return self.text[:self.at] + self.inserted + self.text[self.at:]

    def _prove(self, added):
        """The new text says what the old one said, and what was added."""
        try:
            same = self.inserted and tomllib.loads(self.new_text()) == merged(self.document, added)
        except tomllib.TOMLDecodeError:
            same = False
        if not same:
            raise Refused(f"{self.path} is written in a way that this program cannot add to; it was not touched. "
                          f"Add this by hand, then install again:\n{self.diff()}")

    def diff(self):
        lines = difflib.unified_diff(self.text.splitlines(True), self.new_text().splitlines(True), self.path, "needed")
        return "".join(lines) + self.drop_in_text

    def dump(self):
        """What containerd makes of its configuration; None when it cannot be asked."""
        if not self.containerd or not self.host.is_real() or not self.host.at(self.path).exists():
            return None
        status, out, errors = node.run([self.containerd, "-c", self.path, "config", "dump"])
        if status:
            raise Refused(f"containerd refuses {self.path}: {errors.strip()[-500:]}")
        try:
            return tomllib.loads(out)
        except tomllib.TOMLDecodeError as error:
            raise Refused(f"containerd's own view of {self.path} is no TOML: {error}") from None

    def ask(self):
        """What containerd makes of it now, before anything changes; refused where handlers would have no effect."""
        self.before = self.dump()
        for document in (self.document, self.before or {}):
            disabled = document.get("disabled_plugins", [])
            off = [name for name in disabled if name in CRI_PLUGINS] if isinstance(disabled, list) else []
            if off:
                raise Refused(f"{self.path} switches containerd's CRI plugin off (disabled_plugins has \"{off[0]}\", as in Docker's "
                              "packages), so it would not see any handler. If Kubernetes shall use this containerd, take that entry "
                              "out, then install again; otherwise `install --no-containerd`: docker, ctr and nerdctl need no handler")

    def add(self, changes):
        """Our texts become part of the changes."""
        self.former = Former(self.record, [self.drop_in, self.path])
        if self.drop_in_text:
            changes.file(self.drop_in, self.drop_in_text.encode, service="containerd")
        if self.inserted:
            changes.edit(self.path, self.text, self.new_text(), service="containerd", inserted=self.inserted, mark=self.mark)

    def check(self):
        """After the changes: what containerd understands otherwise is taken back to what it was before this run."""
        try:
            self._compare(self.before, self.dump())
        except BaseException:  # also an interrupt: nothing stays that was not compared
            self.former.take_back()
            raise

    def _compare(self, before, after):
        if after is None:
            return
        lost = missing_handlers(after)
        if lost:
            raise Refused(f"containerd does not see {', '.join(lost)} in {self.path}; the change was taken back:\n{self.diff()}")
        if before is None:
            return
        for document in (before, after):
            document.pop("imports", None)
            runtimes = _runtimes(document, document.get("version", 2))
            for handler in HANDLERS + (() if self.had_handlers else ("runc",)):
                runtimes.pop(handler, None)
        if before != after:
            raise Refused(f"containerd would read the rest of {self.path} differently; the change was taken back:\n"
                          f"{self.diff()}")


def missing_handlers(dump):
    have = _runtimes(dump, dump.get("version", 2))
    return [handler for handler in HANDLERS if handler not in have]
