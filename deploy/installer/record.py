"""What an installation changed, and what stood there before.

One JSON file with copies of replaced files beside it. An entry is written before its change is made,
so that whatever moment an installation ends at, undo finds everything. The first `before` of a path
stays: upgrades change `now`, and keep in `was` what else may stand there until the change is made.
"""
import fcntl
import json
import os
import pathlib

from installer import files
from installer.copies import Copies
from installer.host import Refused

FOLDER = "/var/lib/kata-containers/install"
PUBLIC, PRIVATE = 0o755, 0o700  # permissions of folders


def ours(entry, current):
    """The file is what this or an interrupted installation put there."""
    return files.content(current) in [files.content(state) for state in (entry["now"], *entry.get("was", []))]


def inserted_texts(entry):
    """What we may have added to a file of others, the newest first."""
    return [state["inserted"] for state in (entry, *reversed(entry.get("was", []))) if "inserted" in state]


class Record:
    """Owns the record's folder and a lock on it for the life of this process."""

    def __init__(self, host, folder=FOLDER):
        self.host, self.folder = host, folder
        self.path = host.at(f"{folder}/record.json")
        self.copies = Copies(self.path.parent)
        self.entries, self.facts = {}, {}
        self._lock = None
        if self.path.exists():
            self._take_lock()
            self._load()

    def exists(self):
        return bool(self.entries)

    def is_installed(self):
        """False, too, when uninstall left nothing but files that somebody changed."""
        return "prefix" in self.facts

    def _load(self):
        try:
            document = json.loads(self.path.read_text())
            self.entries, self.facts = document["entries"], document["facts"]
        except (ValueError, KeyError, TypeError) as error:
            raise Refused(f"{self.path} is damaged ({error}); the copies of replaced files are beside it") from error

    def _take_lock(self):
        self._lock = os.open(self.path.parent, os.O_RDONLY)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Refused(f"another installation is at work ({self.path.parent} is locked); wait for its end") from error

    def own_folders(self):
        """The record's own, the innermost first."""
        return [self.folder, *map(str, pathlib.PurePosixPath(self.folder).parents)]

    def open(self, facts):
        """Makes the record's folder, itself on record, and writes the facts of the installation that begins."""
        made, new = [], not self.path.exists()
        for folder in reversed(self.own_folders()):
            real = self.host.real(folder)
            # One without a record is what an installation left that was stopped before its first line.
            if not real.exists() or (new and folder == self.folder and self._is_unused(real)):
                self.host.at(folder).mkdir(mode=PRIVATE if folder == self.folder else PUBLIC, exist_ok=True)
                made.append(folder)
        if self._lock is None:
            self._take_lock()
            if self.path.exists():
                # What was decided so far took the node for an empty one, and its record must not be lost.
                raise Refused(f"another installation ended just now ({self.path} was not there before); run this again")
        self.path.parent.chmod(PRIVATE)  # older releases left it open
        for folder in made:
            self.entries[folder] = {"before": None, "now": files.folder_state(PUBLIC)}
        if self.folder in self.entries:
            self.entries[self.folder]["now"] = files.folder_state(PRIVATE)
        self.facts |= facts
        self.save()
        self.copies.keep_only(self.entries)
        self.drop_staged()

    def _is_unused(self, real):
        """Refused where it is not: uninstall removes this folder."""
        foreign = sorted(set(os.listdir(real)) - {"record.new", "record.json"})
        if foreign:
            raise Refused(f"{self.folder} has no record in it, but {foreign[0]}: a record needs a folder of its own (--record)")
        return True

    def save(self):
        """On the disk, with its name, when this returns."""
        temporary = self.path.with_suffix(".new")
        files.remove(temporary)
        text = json.dumps({"facts": self.facts, "entries": self.entries}, indent=1)
        files.write(temporary, text.encode(), 0o600, files.own())
        os.replace(temporary, self.path)
        files.sync_folder(self.path.parent)

    def replace(self, entries, facts=None):
        """Saves others; the old ones hold where that fails."""
        old = self.entries, self.facts
        self.entries, self.facts = entries, self.facts if facts is None else facts
        try:
            self.save()
        except OSError:
            self.entries, self.facts = old
            raise

    def close(self):
        """The end of the record and its folders: what was on it has been undone."""
        made = [folder for folder in self.own_folders() if folder in self.entries]
        # First without the copies, then they go: whatever moment this ends at, no entry misses its copy.
        self.replace({folder: self.entries[folder] for folder in made})
        self.copies.keep_only({})
        files.remove(self.path)
        for folder in made:
            try:
                self.host.at(folder).rmdir()
            except OSError:
                break  # in use by others
        os.close(self._lock)
        self.entries, self.facts, self._lock = {}, {}, None

    # Files that wait beside their places.

    def temporary(self, path):
        real = self.host.at(path)
        return real.with_name(f".{real.name}.kata-new")

    def will_stage(self, paths):
        """On record before they are written, so that none of them outlives an interrupted installation."""
        self.facts["staged"] = sorted({*self.facts.get("staged", []), *paths})
        self.save()

    def drop_staged(self):
        staged = self.facts.pop("staged", [])
        for path in staged:
            files.remove(self.temporary(path))
        if staged:
            self.save()

    # Folders.

    def make_folders(self, paths):
        """Those that are missing, and the permissions of those that an earlier installation made."""
        missing = {}
        for path in paths:
            path = pathlib.PurePosixPath(path)
            for folder in map(str, [*reversed(path.parents), path]):
                real, entry = self.host.real(folder), self.entries.get(folder)
                if not real.is_dir():
                    if files.state_of(self.host.at(folder)) is not None:
                        raise Refused(f"{folder} stands where a folder belongs; move it away, then install again")
                    missing[folder] = (entry or {"before": None}) | {"now": files.folder_state(PUBLIC)}
                elif entry and folder != self.folder and real.stat().st_mode & 0o777 != PUBLIC:
                    real.chmod(real.stat().st_mode & 0o7000 | PUBLIC)
                    entry["now"] = files.folder_state(PUBLIC)
        if missing:
            self.replace(self.entries | missing)
        for folder in missing:  # outer ones first
            self.host.at(folder).mkdir(mode=PUBLIC)

    # Text in files of others.

    def without_ours(self, path, text):
        """A text file as it would be if we had never added anything to it."""
        for inserted in inserted_texts(self.entries.get(path, {})):
            if inserted and text.count(inserted) == 1:
                return text.replace(inserted, "")
        return text
