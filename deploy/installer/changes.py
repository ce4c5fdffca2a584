"""Files and links that get their new content together.

First everything that can fail for want of space: the new files beside their places, and copies of what gives
way, all on the disk. Then the record says so. Only then they take their places, by renaming: what runs from
an old file runs on.
"""
import dataclasses
import os
import pathlib
import time

from installer import files
from installer.host import Refused
from installer.record import ours


@dataclasses.dataclass
class _Wanted:
    read: object  # () -> bytes; of a link: what it leads to
    mode: int | None  # None of a link
    owner: tuple
    service: str | None  # the program that takes it up when it is restarted
    more: dict  # into the entry

    def state(self):
        if self.mode is None:
            return {"link": self.read}
        return {"file": files.sha256(self.read()), "mode": self.mode, "uid": self.owner[0], "gid": self.owner[1]}


class Changes:
    """Collected by file(), link() and edit(), made by commit(). Uses the record while both live."""

    def __init__(self, record):
        self.record, self._wanted = record, {}

    def file(self, path, read, mode=0o644, owner=None, service=None, **more):
        """`read` returns the bytes, whenever they are needed."""
        self._wanted[str(path)] = _Wanted(read, mode, owner or files.own(), service, more)

    def link(self, path, target):
        self._wanted[str(path)] = _Wanted(str(target), None, files.own(), None, {})

    def edit(self, path, base, text, service=None, **more):
        """Another text for a file whose text would be `base` without us; mode and owner stay. `more` has our part: `inserted`."""
        current = files.state_of(self.record.host.at(path))
        mode, owner = (current["mode"], (current["uid"], current["gid"])) if current and "file" in current else (0o644, None)
        before = self.record.entries[path]["before"] if path in self.record.entries else current
        # Changes that others made between two of our installations are not undone with ours.
        exact = before is None or before.get("file") == files.sha256(base.encode())
        self.file(path, text.encode, mode, owner, service, exact=exact, **more)

    def commit(self):
        """Returns the paths that are new or others now. Until the first of them changes, a failure leaves all as it was."""
        record, wrong = self.record, {}
        for path, wanted in self._wanted.items():
            current, state = self._replaceable(path), wanted.state()
            if not self._is_right(path, current, state, wanted.more):
                wrong[path] = (wanted, state, current)
        try:
            record.make_folders({str(pathlib.PurePosixPath(path).parent) for path in self._wanted})
            if wrong:
                record.will_stage(wrong)
            for path, (wanted, state, _) in wrong.items():
                self._stage(path, wanted, state)
            self._note(wrong)
        except (OSError, Refused) as error:
            self._give_up()
            raise Refused(f"the files cannot be copied: {error}; nothing that was there before has changed") from error
        for path in wrong:
            os.replace(record.temporary(path), record.host.at(path))
        for folder in {record.host.at(path).parent for path in wrong}:
            files.sync_folder(folder)
        for path in self._wanted:
            record.entries.get(path, {}).pop("was", None)
        record.facts.pop("staged", None)
        record.save()
        return list(wrong)

    def _replaceable(self, path):
        current = files.state_of(self.record.host.at(path))
        if files.is_folder(current):
            raise Refused(f"{path} is a folder where a file or a link belongs; move it away, then install again")
        return current

    def _is_right(self, path, current, state, more):
        entry = self.record.entries.get(path)
        if not files.matches(current, state):
            return False
        if entry:
            entry.pop("left", None)
            entry |= {"now": state} | more
        return entry is not None or "link" in state  # a file that is the same by chance is put on record

    def _stage(self, path, wanted, state):
        temporary = self.record.temporary(path)
        files.remove(temporary)
        if wanted.mode is None:
            temporary.symlink_to(state["link"])
        else:
            files.write(temporary, wanted.read(), wanted.mode, wanted.owner)

    def _note(self, wrong):
        """All entries in one step; copies of what stands there first."""
        record = self.record
        entries = dict(record.entries)
        for path, (wanted, state, current) in wrong.items():
            entries[path] = self._entry(path, current) | {"now": state} | wanted.more
        services = {wanted.service: int(time.time()) for wanted, *_ in wrong.values() if wanted.service}
        record.replace(entries, record.facts | {"restart": record.facts.get("restart", {}) | services})

    def _entry(self, path, current):
        record, entry = self.record, self.record.entries.get(path)
        if entry is None:
            before = current
            if before and "file" in before:
                before = record.copies.keep(record.host.at(path), record.facts.get("copies", 0))
                record.facts["copies"] = int(before["copy"]) + 1
            return {"before": before}
        last = entry["now"] | {name: entry[name] for name in ("inserted",) if name in entry}
        was = [*entry.get("was", []), last] if ours(entry, current) or "inserted" in last else []
        return {name: value for name, value in entry.items() if name != "left"} | {"was": was}

    def _give_up(self):
        record = self.record
        record.copies.keep_only(record.entries)
        try:
            record.drop_staged()
        except OSError:
            pass  # they are gone; that they are on record still harms nobody
