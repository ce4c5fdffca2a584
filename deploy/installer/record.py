"""What an installation changed, and what stood there before.

One JSON file with copies of replaced files beside it. An entry is written before its change is made,
so that whatever moment an installation ends at, undo() finds everything. The first `before` of a path
stays: upgrades change `now` only.
"""
import contextlib
import fcntl
import hashlib
import json
import os
import pathlib
import shutil
import stat

from installer.host import Refused, say, warn

FOLDER = "/var/lib/kata-containers/install"
FOLDER_STATE = {"folder": True}  # of state_of()


def sha256(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def state_of(path):
    """What stands at a path: None, a link, a file or a folder, as a comparable value."""
    try:
        found = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    if stat.S_ISLNK(found.st_mode):
        return {"link": os.readlink(path)}
    if stat.S_ISDIR(found.st_mode):
        return FOLDER_STATE
    if not stat.S_ISREG(found.st_mode):
        raise Refused(f"{path} is neither a file nor a link; move it away")
    return {"file": sha256(path)}


def _remove(path):
    """Of a file or link; it may be gone, its folder too."""
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        path.unlink()


class Record:
    """Owns the record's folder and a lock on it for the life of this process."""

    def __init__(self, host, folder=FOLDER):
        self.host, self.folder = host, folder
        self.path = host.at(f"{folder}/record.json")
        self.entries, self.facts = {}, {}
        self._lock = None
        if self.path.exists():
            self._take_lock()
            self._load()

    def exists(self):
        return bool(self.entries)

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

    def open(self):
        """Makes the record's folder, itself on record."""
        made, new = [], not self.path.exists()
        for folder in [*reversed(pathlib.PurePosixPath(self.folder).parents), pathlib.PurePosixPath(self.folder)]:
            real = self.host.real(folder)
            # An empty one is what an installation left that was stopped before its first line.
            if not real.exists() or (new and str(folder) == self.folder and not any(real.iterdir())):
                self.host.at(folder).mkdir(mode=0o755, exist_ok=True)
                made.append(str(folder))
        if self._lock is None:
            self._take_lock()
            if self.path.exists():
                # What was decided so far took the node for an empty one, and its record must not be lost.
                raise Refused(f"another installation ended just now ({self.path} was not there before); run this again")
        for folder in made:
            self.entries[folder] = {"before": None, "now": FOLDER_STATE}
        self.save()
        self.drop_staged()

    def save(self):
        temporary = self.path.with_suffix(".new")
        with open(temporary, "w") as file:
            json.dump({"facts": self.facts, "entries": self.entries}, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, self.path)

    # Changes.

    def _replaceable(self, path, now):
        """What stands at the path. Refused where it cannot give way: files do not replace folders, nor the reverse."""
        current = state_of(self.host.at(path))
        if now == FOLDER_STATE and current is not None:
            raise Refused(f"{path} stands where a folder belongs; move it away, then install again")
        if now != FOLDER_STATE and current == FOLDER_STATE:
            raise Refused(f"{path} is a folder where a file or a link belongs; move it away, then install again")
        return current

    def _note(self, path, now, **more):
        """The entry of a path that is about to change."""
        path = str(path)
        current = self._replaceable(path, now)
        if path not in self.entries:
            real, before = self.host.at(path), current
            if before and "file" in before:
                found = os.lstat(real)
                before |= {"mode": stat.S_IMODE(found.st_mode), "uid": found.st_uid, "gid": found.st_gid,
                           "mtime": found.st_mtime_ns, "copy": str(len(self.entries))}
                shutil.copyfile(real, self.path.parent / before["copy"])
            self.entries[path] = {"before": before}
        self.entries[path] |= {"now": now, **more}
        self.save()

    def make_folder(self, path):
        path = pathlib.PurePosixPath(path)
        for folder in [*reversed(path.parents), path]:
            if not self.host.real(folder).is_dir():
                self._note(folder, FOLDER_STATE)
                self.host.at(folder).mkdir(mode=0o755)

    def put_link(self, path, target):
        self.make_folder(pathlib.PurePosixPath(path).parent)
        real = self.host.at(path)
        if state_of(real) == {"link": target}:
            return False
        self.will_stage([str(path)])
        self._note(path, {"link": target})
        temporary = self._temporary(path)
        temporary.unlink(missing_ok=True)
        temporary.symlink_to(target)
        os.replace(temporary, real)
        return True

    def _temporary(self, path):
        real = self.host.at(path)
        return real.with_name(f".{real.name}.kata-new")

    def will_stage(self, paths):
        """On record before they are written, so that none of them outlives an interrupted installation."""
        self.facts["staged"] = sorted({*self.facts.get("staged", []), *paths})
        self.save()

    def drop_staged(self):
        for path in self.facts.get("staged", []):
            _remove(self._temporary(path))
        self.facts["staged"] = []
        self.save()

    def stage(self, path, data, mode):
        """Writes a file beside its place; commit() moves it there. What runs from the old one runs on."""
        self.make_folder(pathlib.PurePosixPath(path).parent)
        self._replaceable(path, {"file": None})
        if path not in self.facts.get("staged", []):
            self.will_stage([path])
        temporary = self._temporary(path)
        with open(temporary, "wb") as file:
            file.write(data)
            os.fchmod(file.fileno(), mode)
        return temporary

    def commit(self, path, temporary, **more):
        self._note(path, {"file": sha256(temporary)}, **more)
        os.replace(temporary, self.host.at(path))

    def put_file(self, path, data, mode=0o644):
        """True when the file was not there yet, or another."""
        real = self.host.at(path)
        if state_of(real) == {"file": hashlib.sha256(data).hexdigest()}:
            return False
        self.commit(path, self.stage(path, data, mode))
        return True

    def without_ours(self, path, text):
        """A text file as it would be if we had never added anything to it."""
        inserted = self.entries.get(path, {}).get("inserted")
        return text.replace(inserted, "") if inserted and text.count(inserted) == 1 else text

    def edit(self, path, base, text, inserted):
        """Replaces the file of that base by one that has `inserted` in it; mode and owner stay."""
        real = self.host.at(path)
        temporary = self.stage(path, text.encode(), 0o644)
        if real.exists():
            found = os.stat(real)
            os.chmod(temporary, stat.S_IMODE(found.st_mode))
            os.chown(temporary, found.st_uid, found.st_gid)
        before = self.entries[path]["before"] if path in self.entries else state_of(real)
        # Changes that others made between two of our installations are not undone with ours.
        exact = before is None or before.get("file") == hashlib.sha256(base.encode()).hexdigest()
        self.commit(path, temporary, inserted=inserted, exact=exact)

    # The way back.

    def undo(self, paths=None, purge=False):
        """Restores what stood at the paths (all of them: the record goes, too)."""
        if paths is None:
            self.drop_staged()
        own = [self.folder, *map(str, pathlib.PurePosixPath(self.folder).parents)] if paths is None else []
        for path in sorted(self.entries if paths is None else paths, reverse=True):  # what is in a folder before it
            if path in own:
                continue
            self._restore(path, self.entries[path], purge)
            if paths is not None:
                del self.entries[path]
                self.save()
        if paths is None:
            self._remove_own_folder([path for path in own if path in self.entries])

    def _restore(self, path, entry, purge):
        real, before, now = self.host.at(path), entry["before"], entry["now"]
        current = state_of(real)
        plain = {"file": before["file"]} if before and "file" in before else before
        if now == FOLDER_STATE:
            self._remove_folder(path, real)
        elif FOLDER_STATE in (current, before):
            # Never replaced by us; one that came later is somebody's.
            if before != current:
                warn(f"{path} was changed after the installation and stays as it is")
        elif current in (plain, None) or purge or (current == now and entry.get("exact", True)):
            self._put_back(real, before)
        elif "inserted" in entry and "file" in current:
            self._take_out(path, real, entry["inserted"].encode())
        else:
            warn(f"{path} was changed after the installation and stays as it is")

    def _remove_folder(self, path, real):
        try:
            real.rmdir()
        except FileNotFoundError:
            pass
        except OSError:
            warn(f"{path} stays: there is something in it that the installation did not put there")

    def _put_back(self, real, before):
        if before is None:
            _remove(real)
            return
        temporary = real.with_name(f".{real.name}.kata-old")
        temporary.unlink(missing_ok=True)
        if "link" in before:
            temporary.symlink_to(before["link"])
        else:
            shutil.copyfile(self.path.parent / before["copy"], temporary)
            os.chmod(temporary, before["mode"])
            os.chown(temporary, before["uid"], before["gid"])
            os.utime(temporary, ns=(before["mtime"], before["mtime"]))
        os.replace(temporary, real)

    def _take_out(self, path, real, inserted):
        """The file has later changes of others: only our text leaves it."""
        text = real.read_bytes()
        if text.count(inserted) != 1:
            warn(f"{path} was changed after the installation, our lines are not found in it: it stays as it is")
            return
        found = os.stat(real)
        temporary = real.with_name(f".{real.name}.kata-old")
        temporary.write_bytes(text.replace(inserted, b""))
        os.chmod(temporary, stat.S_IMODE(found.st_mode))
        os.chown(temporary, found.st_uid, found.st_gid)
        os.replace(temporary, real)
        say(f"{path}: our lines were taken out, later changes stay")

    def _remove_own_folder(self, made):
        shutil.rmtree(self.host.at(self.folder))
        for folder in made[1:]:
            try:
                self.host.at(folder).rmdir()
            except OSError:
                break  # in use by others
        os.close(self._lock)
        self.entries, self._lock = {}, None
