"""One row or one group of rows of the parity table, and how its OCI configuration is made."""
import copy
import dataclasses


@dataclasses.dataclass
class Group:
    """A container whose shell runs several probes; each probe is a row.

    `spec` changes the default OCI configuration: dotted path -> value; a path that ends in `+`
    extends the list there. In values, @BIND@ becomes a fresh host folder of this run.
    `image` runs the container by image instead (rootfs from the snapshotter) with ctr's `flags`.
    `host` is a shell script that fills the host folder ($BIND) first.
    """
    name: str
    probes: dict
    spec: dict = dataclasses.field(default_factory=dict)
    image: bool = False
    flags: tuple = ()
    host: str = ""


@dataclasses.dataclass
class Single:
    """A container that is one row: its output, exit status and error class."""
    name: str
    args: list
    spec: dict = dataclasses.field(default_factory=dict)
    host: str = ""
    rootfs: str = ""  # shell script that changes the private root folder ($ROOT) first


@dataclasses.dataclass
class Execs:
    """A sleeping container; each row is one `ctr task exec`: name -> (flags, args)."""
    name: str
    rows: dict
    spec: dict = dataclasses.field(default_factory=dict)


def script(probes):
    """Shell text that runs every probe in a subshell and marks its beginning and its end."""
    return "".join(f"echo '@@begin {name}'\n(\n{text}\n) 2>&1\necho \"@@end $?\"\n" for name, text in probes.items())


def split(output):
    """{probe: (exit status, output)} of what script() printed."""
    found = {}
    for part in output.split("@@begin ")[1:]:
        head, _, rest = part.partition("\n")
        text, mark, status = rest.rpartition("@@end ")
        found[head] = (int(status.split()[0]) if mark else None, text)
    return found


def patched(base, changes, replace):
    """A copy of the OCI configuration with the changes; `replace` maps marks such as @BIND@."""
    spec = copy.deepcopy(base)
    for path, value in changes.items():
        node = spec
        *parents, last = path.rstrip("+").split(".")
        for key in parents:
            node = node.setdefault(key, {})
        value = _replaced(value, replace)
        if path.endswith("+"):
            node[last] = (node.get(last) or []) + value
        elif value is None:
            node.pop(last, None)
        else:
            node[last] = value
    return spec


def _replaced(value, replace):
    if isinstance(value, str):
        for mark, text in replace.items():
            value = value.replace(mark, text)
        return value
    if isinstance(value, list):
        return [_replaced(item, replace) for item in value]
    if isinstance(value, dict):
        return {key: _replaced(item, replace) for key, item in value.items()}
    return value
