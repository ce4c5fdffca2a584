"""install, verify, upgrade, uninstall."""
import argparse
import contextlib
import os
import pathlib
import sys
import time

from installer import containerd, crio, kubernetes, tree, undo, verify
from installer import host as node
from installer.changes import Changes
from installer.host import Host, Refused, say, warn
from installer.record import FOLDER, Record

LINKS = {"containerd-shim-kata-v2": "bin/containerd-shim-kata-v2", "containerd-shim-kata-qemu-v2": "bin/containerd-shim-kata-v2",
         "kata-runtime": "bin/kata-runtime", "kata-monitor": "bin/kata-monitor"}
# Where bash, man and systemd look beside /usr/local/bin. The unit is not enabled.
PAGES = {"share/bash-completion/completions": "share/bash-completion/completions", "share/man/man1": "share/man/man1",
         "share/man/man5": "share/man/man5", "share/man/man8": "share/man/man8", "lib/systemd/system": "share/systemd"}
STAYED = 3  # exit status of an uninstall that left files which somebody had changed


def parser():
    result = argparse.ArgumentParser(prog="install", description="Installs kata-cpp on this node. Uses no network; whatever "
                                     "is changed is on record, and uninstall restores it byte for byte.")
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--root", default="/", help="folder that stands for the node's / (for images and tests)")
    shared.add_argument("--record", default=FOLDER, help="folder of the record (default: %(default)s)")
    shared.add_argument("--containerd", default=node.program("containerd"), metavar="PROGRAM", help="containerd itself, asked "
                        "whether it understands its configuration (default: the one in PATH)")
    shared.add_argument("--restart", action="store_true", help="restart the container managers whose settings changed (systemd)")
    put = argparse.ArgumentParser(add_help=False)
    put.add_argument("--from", dest="source", metavar="PATH", help="release tree or archive (default: the tree this program is in)")
    put.add_argument("--node", help="also label this node and make the RuntimeClasses, with kubectl")
    commands = result.add_subparsers(dest="command", required=True, metavar="COMMAND")
    install = commands.add_parser("install", parents=[shared, put], help="put the tree in place and wire containerd and CRI-O; "
                                  "again: repair or upgrade")
    install.add_argument("--prefix", default="/opt/kata", help="where the tree goes (default: %(default)s)")
    install.add_argument("--links", default="/usr/local", metavar="DIR", help="links go to DIR/bin, DIR/share and DIR/lib (default: %(default)s)")
    install.add_argument("--containerd-config", default=containerd.CONFIG, metavar="FILE", help="(default: %(default)s)")
    install.add_argument("--no-containerd", action="store_true", help="leave containerd's configuration alone")
    commands.add_parser("upgrade", parents=[shared, put], help="the same places as the installation that is there")
    commands.add_parser("verify", parents=[shared], help="is everything there, whole and understood?")
    back = commands.add_parser("uninstall", parents=[shared], help="take everything back")
    back.add_argument("--prefix", metavar="DIR", help="only the installation below DIR; another one stays")
    back.add_argument("--force", action="store_true", help="although sandboxes run")
    back.add_argument("--purge", action="store_true", help="also files that were changed after the installation")
    return result


def config_paths(prefix):
    """ConfigPath of the handlers. The plain one has the usual search order, /etc first, unless the prefix is another."""
    defaults = f"{prefix}/share/defaults/kata-containers"
    paths = {"kata-qemu": f"{defaults}/configuration-qemu.toml"}
    if prefix != tree.BUILT_FOR:
        paths["kata"] = f"{defaults}/configuration.toml"
    return paths


def put_links(changes, found, prefix, links):
    """Links to what the release has become part of the changes. Returns their paths."""
    targets = {f"{links}/bin/{name}": f"{prefix}/{target}" for name, target in LINKS.items() if (found / target).exists()}
    for there, here in PAGES.items():
        targets |= {f"{links}/{there}/{real.name}": f"{prefix}/{here}/{real.name}" for real in (found / here).glob("*")}
    for path, target in sorted(targets.items()):
        changes.link(path, target)
    return list(targets)


def restart(record, wanted):
    """The programs whose settings changed since they were restarted by us, in this run or an earlier one."""
    for service, changed in list(record.facts.get("restart", {}).items()):
        if not wanted or not record.host.is_real():
            say(f"{service} takes up the change of {time.strftime('%Y-%m-%d %H:%M', time.localtime(changed))} when it is restarted; "
                "running pods are not affected")
            continue
        status, _, errors = node.run(["systemctl", "restart", service], timeout=120)
        if status:
            warn(f"{service} was not restarted: {errors.strip()}")
        else:
            del record.facts["restart"][service]
            record.save()


def has_containerd(host, options, config):
    return bool(options.containerd) or host.real(pathlib.PurePosixPath(config).parent).is_dir()


def put(options, record, facts):
    """install and upgrade: everything is decided before anything changes."""
    host, prefix = record.host, facts["prefix"]
    with tree.source(options.source) as found:
        plan = None
        if facts["containerd"] and has_containerd(host, options, facts["containerd"]):
            plan = containerd.Plan(host, record, facts["containerd"], options.containerd, config_paths(prefix))
            plan.ask()
            if not options.containerd:
                warn("no containerd program found: its configuration is written, not tried (--containerd names it)")
        record.open(facts)
        changes = Changes(record)
        kept = tree.add(changes, found, prefix)
        links = put_links(changes, found, prefix, facts["links"])
        crio.add(changes, prefix, config_paths(prefix))
        if plan:
            plan.add(changes)
        changed = changes.commit()
        dropped = tree.drop_old(record, kept + links) if kept is not None else 0
        tell(changed, dropped, prefix, plan)
        if plan and plan.paths() & set(changed):
            plan.check()
        if options.node:
            kubernetes.apply(record, found / "deploy" / "manifests" / "base", options.node)
            say(f"Kubernetes: {options.node} has the label {kubernetes.LABEL}=true")
    restart(record, options.restart)


def tell(changed, dropped, prefix, plan):
    count = sum(path.startswith(f"{prefix}/") for path in changed) + dropped
    say(f"{prefix}: {count} files are new or others" if count else f"{prefix}: nothing to change")
    if plan and plan.paths() & set(changed):
        say(f"containerd: {plan.drop_in if plan.version == 3 else plan.path} has the handlers kata and kata-qemu")
    if crio.DROP_IN in changed:
        say(f"CRI-O: {crio.DROP_IN} has the handlers kata and kata-qemu")


def install(options, record):
    for name in ("prefix", "links", "containerd_config"):
        if not getattr(options, name).startswith("/"):
            raise Refused(f"--{name.replace('_', '-')} must be an absolute path")
    if record.is_installed() and record.facts["prefix"] != options.prefix:
        raise Refused(f"there is an installation below {record.facts['prefix']}; uninstall it first")
    put(options, record, {"prefix": options.prefix, "links": options.links,
                          "containerd": None if options.no_containerd else options.containerd_config})


def must_be_installed(record, what):
    if not record.is_installed():
        left = " (uninstall left files that were changed, and a record of them)" if record.exists() else ""
        raise Refused(f"nothing is installed{left}{what}")


def upgrade(options, record):
    must_be_installed(record, "; use install")
    put(options, record, {name: record.facts[name] for name in ("prefix", "links", "containerd")})


def running(host):
    """Names of the sandboxes of this node: folders with a journal. Others are nobody's, `gc --remove` leaves them alone."""
    with contextlib.suppress(FileNotFoundError):
        folder = host.real("/run/vc/sbs")
        return sorted(name for name in os.listdir(folder) if os.path.lexists(folder / name / "journal"))
    return []


def uninstall(options, record):
    if not record.exists():
        say("nothing is installed")
        return 0
    prefix = record.facts.get("prefix")
    if options.prefix and prefix != options.prefix:
        say(f"the installation below {prefix} stays: it is not below {options.prefix}" if prefix else "nothing is installed")
        return 0
    found = running(record.host)
    if found and not options.force:
        raise Refused(f"{len(found)} sandboxes are here ({', '.join(found[:3])}{', ...' if len(found) > 3 else ''}) and need the "
                      "programs to be stopped; remove their pods, `kata-runtime gc --remove` frees what was left behind, or --force")
    kubernetes.undo(record)
    if record.facts.get("in_place"):
        say(f"{prefix} was there before the installation and stays")
    note_restarts(record)
    undone = undo.everything(record, options.purge)
    restart(record, options.restart)
    if undone.left:
        undo.keep(record, undone.left)
        warn(f"{len(undone.left)} of the paths named above are not as before; they stay on record in {record.folder}, with what stood "
             "there. Undo your changes and uninstall again, or `uninstall --purge` drops them")
        return STAYED
    record.close()
    say("everything is as it was before the installation" + (", but for the folders named above" if undone.folders else ""))
    return 0


def note_restarts(record):
    """The managers whose settings are about to go back."""
    services = [service for service, path in (("containerd", record.facts.get("containerd")), ("crio", crio.DROP_IN))
                if path and any(entry.startswith(str(pathlib.PurePosixPath(path).parent) + "/") for entry in record.entries)]
    record.facts["restart"] = dict.fromkeys(services, int(time.time()))
    record.save()


def check(options, record):
    must_be_installed(record, "")
    found = list(verify.problems(record, options.containerd))
    if found:
        raise Refused("\n".join(found))
    say(f"{record.facts['prefix']}: all is there and in order")


def main(arguments):
    options = parser().parse_args(arguments)
    began = time.monotonic()
    os.umask(0o022)  # what is installed is for everybody, whatever the shell's mask; secrets have their own modes
    try:
        if not os.path.isdir(options.root):
            raise Refused(f"--root {options.root}: no such folder")
        record = Record(Host(options.root), options.record)
        status = {"install": install, "upgrade": upgrade, "uninstall": uninstall, "verify": check}[options.command](options, record)
    except (Refused, OSError) as error:
        print(f"error: {options.command}: {error}", file=sys.stderr)
        return 1
    say(f"{options.command}: done in {time.monotonic() - began:.1f} s")
    return status or 0
