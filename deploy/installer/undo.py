"""The way back: every path on record gets what stood there before the first installation."""
import os
import pathlib

from installer import files
from installer.host import Refused, say, warn
from installer.record import inserted_texts, ours

STAYS = "was changed after the installation and stays as it is"


class Undone:
    """What undoing could not take back: `left` files of ours that somebody changed, `folders` with other things in them."""

    def __init__(self):
        self.left, self.folders = [], []


def everything(record, purge=False):
    """All paths; the record itself stays until close()."""
    result, own = Undone(), record.own_folders()
    record.drop_staged()
    for path in sorted(record.entries, reverse=True):  # what is in a folder before it
        entry = record.entries[path]
        if path in own:
            continue
        if files.is_folder(entry["now"]):
            _remove_folder(path, record.host.at(path), result)
        elif not _restore(record, path, entry, purge):
            result.left.append(path)
    return result


def some(record, paths):
    """These paths leave the record; those that somebody changed stay on it."""
    for path in sorted(paths, reverse=True):
        if _restore(record, path, record.entries[path], purge=False):
            record.replace({other: entry for other, entry in record.entries.items() if other != path})
    record.copies.keep_only(record.entries)


def keep(record, left):
    """A record of what is left, with the copies of what stood there before."""
    around = {str(folder) for path in left for folder in pathlib.PurePosixPath(path).parents} | {*record.own_folders()}
    entries = {path: entry for path, entry in record.entries.items() if path in around}
    for path in left:
        entries[path] = record.entries[path] | {"left": True}
    record.replace(entries, {"copies": record.facts.get("copies", 0)})
    record.copies.keep_only(entries)


def _restore(record, path, entry, purge):
    """False: it stays, and something would be lost with its entry."""
    real, before = record.host.at(path), entry["before"]
    current = files.state_of(real)
    same = files.content(current) == files.content(before)
    if files.is_folder(current) or files.is_folder(before):
        if not same:
            warn(f"{path} {STAYS}")
        return same or before is None  # one that came later is somebody's
    if same or current is None or purge or (ours(entry, current) and entry.get("exact", True)):
        return _put_back(record, path, real, before)
    if "inserted" in entry and "file" in current:
        return _take_out(path, real, entry)
    warn(f"{path} {STAYS}")
    return False


def _remove_folder(path, real, result):
    try:
        real.rmdir()
    except FileNotFoundError:
        pass
    except OSError:
        inside = pathlib.PurePosixPath(path)
        if not any(inside in pathlib.PurePosixPath(left).parents for left in result.left):
            warn(f"{path} stays: there is something in it that the installation did not put there")
            result.folders.append(path)


def _is_back(real, before):
    """With its time, too: as far as a restored file can be known."""
    found = files.state_of(real)
    return files.matches(found, before) and ("mtime" not in before or os.lstat(real).st_mtime_ns == before["mtime"])


def _put_back(record, path, real, before):
    if before is None:
        files.remove(real)
        return True
    if _is_back(real, before):
        return True
    temporary = real.with_name(f".{real.name}.kata-old")
    files.remove(temporary)
    real.parent.mkdir(parents=True, exist_ok=True)  # somebody may have removed it with all that was in it
    try:
        if "link" in before:
            temporary.symlink_to(before["link"])
        else:
            record.copies.restore(before, temporary)
    except Refused as error:
        warn(f"{path} stays as it is: {error}")
        return False
    os.replace(temporary, real)
    return True


def _take_out(path, real, entry):
    """The file has later changes of others: only our text leaves it."""
    text = real.read_bytes()
    ours_in_it = [inserted for inserted in map(str.encode, inserted_texts(entry)) if text.count(inserted) == 1]
    if ours_in_it:
        found = os.stat(real)
        temporary = real.with_name(f".{real.name}.kata-old")
        files.remove(temporary)
        files.write(temporary, text.replace(ours_in_it[0], b""), found.st_mode & 0o7777, (found.st_uid, found.st_gid))
        os.replace(temporary, real)
        say(f"{path}: our lines were taken out, later changes stay")
        return True
    if entry.get("mark") and entry["mark"].encode() not in text:
        say(f"{path}: nothing of ours is in it any more, it stays")
        return True
    warn(f"{path} was changed after the installation, our lines are not found in it: it stays as it is")
    return False
