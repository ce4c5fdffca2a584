"""Is what was installed still there, whole, and understood by the programs that use it?"""
from installer import containerd as cd
from installer import files, tree
from installer import host as node


def _files(record):
    for path, entry in sorted(record.entries.items()):
        current, now = files.state_of(record.host.at(path)), entry["now"]
        if files.matches(current, now) or "inserted" in entry or "left" in entry:
            continue
        if current is None:
            yield f"{path} is missing; install again"
        elif f"/{tree.SETTINGS}" in path:
            continue  # text, mode and owner are the administrator's
        elif files.content(current) == files.content(now):
            yield f"{path} has {_access(current)} instead of {_access(now)}; install again"
        else:
            yield f"{path} is not the one that was installed; install again"


def _access(state):
    owner = f" of {state['uid']}:{state['gid']}" if "uid" in state else ""
    return f"mode {state['mode']:04o}{owner}"


def _programs(record):
    prefix = record.facts["prefix"]
    shim, runtime = (record.host.real(f"{prefix}/{name}") for name in (tree.SHIM, "bin/kata-runtime"))
    for words in ([shim, "--version"], [runtime, "--version"]):
        status, _, errors = node.run(words)
        if status:
            yield f"{words[0]} does not run: {errors.strip()[-300:] or f'status {status}'}"
    if not record.host.is_real():
        return
    # With the usual prefix the one that sandboxes find by themselves, too.
    chosen = [[]] if prefix == tree.BUILT_FOR else []
    for words in (*chosen, [f"{prefix}/{tree.SETTINGS}kata-containers/configuration-qemu.toml"]):
        status, out, errors = node.run([runtime, "config", "check", *words])
        if status:
            yield "the configuration has errors (kata-runtime config check):\n" + (out + errors).rstrip()


def _containerd(record, containerd):
    path = record.facts.get("containerd")
    if not path or not containerd or not record.host.is_real():
        return
    plan = cd.Plan(record.host, record, path, containerd, {})
    dump = plan.dump()
    for handler in cd.missing_handlers(dump) if dump else cd.HANDLERS:
        yield f"containerd does not see the handler {handler} in {path}; install again"


def problems(record, containerd):
    yield from _files(record)
    yield from _programs(record)
    yield from _containerd(record, containerd)
