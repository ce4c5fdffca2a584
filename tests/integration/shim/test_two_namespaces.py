"""Ids are unique only within a namespace of one containerd: the same id elsewhere harms no living sandbox."""
import json

import pytest

from bed import shim, task, ttrpc


def test_same_id_elsewhere(created, work, rootfs):
    item = created(["sleep", "1000"])
    item.create()
    item.task.start(item.id)
    other = shim.Host(work / "elsewhere", rootfs)
    try:
        id, folder = other.bundle(["true"], id=item.id)
        with task.Task(other.start(id, folder)) as second:
            with pytest.raises(ttrpc.CallError) as refused:
                second.create(id, folder)
        assert refused.value.code == 6 and "same id" in refused.value.message
        other.delete(id, folder).ok()

        # A create that fails before it looks at the id's folders.
        text = json.loads((folder / "config.json").read_text())
        text["linux"]["namespaces"] = [n for n in text["linux"]["namespaces"] if n["type"] != "network"]
        (folder / "config.json").write_text(json.dumps(text))
        with task.Task(other.start(id, folder)) as third:
            with pytest.raises(ttrpc.CallError):
                third.create(id, folder)
        other.delete(id, folder).ok()

        assert item.task.status(item.id) == task.RUNNING
        item.task.exec(item.id, "e1", ["true"])
        item.task.start(item.id, "e1")
    finally:
        other.close()
