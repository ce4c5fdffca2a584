"""The cluster's side, through kubectl: the node's label and the RuntimeClasses.

The RuntimeClasses belong to all nodes together, and whichever node is the last one takes them back: so what tells
that an installer made them is a label of the object itself, not a record of one node.
"""
import json
import pathlib
import tempfile

from installer import host as node
from installer.host import Refused, say, warn

LABEL = "katacontainers.io/kata-runtime"
CLASSES = ("kata", "kata-qemu")
MADE = "katacontainers.io/made-by"
MAKER = "deploy-install"


def _kubectl(*words):
    return node.run(["kubectl", "--request-timeout=20s", *words], timeout=60)


def _must(*words):
    status, out, errors = _kubectl(*words)
    if status:
        raise Refused(f"kubectl {' '.join(words)}: {errors.strip()[-500:] or f'status {status}'}")
    return out


def _label_of(name):
    return json.loads(_must("get", "node", name, "-o", "json"))["metadata"].get("labels", {}).get(LABEL)


def apply(record, manifests, name):
    """Labels the node, and makes the RuntimeClasses that the cluster does not have."""
    facts = record.facts.setdefault("kubernetes", {"node": name, "label": _label_of(name), "classes": []})
    if facts["node"] != name:
        raise Refused(f"this installation labelled the node {facts['node']}, not {name}; uninstall first")
    record.save()
    _must("label", "node", name, "--overwrite", f"{LABEL}=true")
    for handler in CLASSES:
        if _must("get", "runtimeclass", handler, "--ignore-not-found", "-o", "name").strip():
            if handler not in facts["classes"]:
                say(f"Kubernetes: the RuntimeClass {handler} is there already and stays as it is")
            continue
        _create(manifests / f"runtimeclass-{handler}.yaml")
        facts["classes"].append(handler)
        record.save()


def _create(manifest):
    """With the label from the first moment: an installation may be killed at any time."""
    text = manifest.read_text()
    marked = text.replace("\nmetadata:\n", f"\nmetadata:\n  labels:\n    {MADE}: {MAKER}\n", 1)
    if marked == text:
        raise Refused(f"{manifest} has no metadata to mark; the release is not whole")
    with tempfile.TemporaryDirectory(prefix="kata-install-") as folder:
        file = pathlib.Path(folder, manifest.name)
        file.write_text(marked)
        _must("create", "-f", str(file))


def _made(facts):
    """RuntimeClasses that an installer made: this release marks them, older ones only had it on their node's record."""
    marked = _must("get", "runtimeclass", "-l", f"{MADE}={MAKER}", "-o", "name").split()
    names = {name.rpartition("/")[2] for name in marked} | set(facts["classes"])
    return [handler for handler in CLASSES if handler in names]


def undo(record):
    """The label is what it was; RuntimeClasses go with the last node that has the label."""
    facts = record.facts.get("kubernetes")
    if not facts:
        return
    try:
        before = f"{LABEL}={facts['label']}" if facts["label"] is not None else f"{LABEL}-"
        _must("label", "node", facts["node"], "--overwrite", before)
        if not _must("get", "nodes", "-l", f"{LABEL}=true", "-o", "name").strip():
            for handler in _made(facts):
                _must("delete", "runtimeclass", handler, "--ignore-not-found")
        else:
            say("Kubernetes: other nodes have the label, the RuntimeClasses stay until the last one is uninstalled")
    except Refused as error:
        warn(f"the cluster was not told ({error}): kubectl label node {facts['node']} {LABEL}-")
    del record.facts["kubernetes"]
    record.save()
