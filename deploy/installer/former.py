"""A few small files as they are before a run changes them, for the case that their reader refuses the change."""
import os

from installer import files, undo


class Former:
    """Holds the bytes in memory: of configuration files only."""

    def __init__(self, record, paths):
        self.record, self.restart = record, record.facts.get("restart", {})
        self.found = {path: self._look(path) for path in paths}

    def _look(self, path):
        real, entry = self.record.host.at(path), self.record.entries.get(path)
        state = files.state_of(real)
        data = real.read_bytes() if state and "file" in state else None
        return None if entry is None else dict(entry), state, data

    def take_back(self):
        """What was an installed file of ours is one again; the rest gets what stood there before the installation."""
        record = self.record
        undo.some(record, [path for path, (entry, *_) in self.found.items() if entry is None and path in record.entries])
        entries = dict(record.entries)
        for path, (entry, state, data) in self.found.items():
            if entry is None:
                continue
            entries[path] = entry
            real, temporary = record.host.at(path), record.temporary(path)
            if state is None:
                files.remove(real)
                continue
            files.remove(temporary)
            if "link" in state:
                temporary.symlink_to(state["link"])
            else:
                files.write(temporary, data, state["mode"], (state["uid"], state["gid"]))
            os.replace(temporary, real)
        record.replace(entries, record.facts | {"restart": self.restart})
