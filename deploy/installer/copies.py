"""Copies of the files that gave way to ours. Each has a number that no other one of this record ever had."""
import os
import stat

from installer import files
from installer.host import Refused


class Copies:
    """The numbered files in the record's folder. Only root reads them: secrets may be among them."""

    def __init__(self, folder):
        self.folder = folder

    def keep(self, real, first):
        """Copies the file under the first free number that is not below `first`; returns what restore() needs."""
        found = os.lstat(real)
        data = real.read_bytes()
        number = first
        while (self.folder / str(number)).exists():
            number += 1
        files.write(self.folder / str(number), data, 0o600, files.own())
        return {"file": files.sha256(data), "mode": stat.S_IMODE(found.st_mode), "uid": found.st_uid, "gid": found.st_gid,
                "mtime": found.st_mtime_ns, "copy": str(number)}

    def restore(self, before, real):
        """Writes the original at a path where nothing is."""
        try:
            data = (self.folder / before["copy"]).read_bytes()
        except FileNotFoundError as error:
            raise Refused(f"its copy {self.folder / before['copy']} is gone") from error
        if files.sha256(data) != before["file"]:
            raise Refused(f"its copy {self.folder / before['copy']} is another file than the one that stood there")
        files.write(real, data, before["mode"], (before["uid"], before["gid"]), before["mtime"])

    def numbers(self):
        return [name for name in os.listdir(self.folder) if name.isdigit()]

    def keep_only(self, entries):
        """Removes the copies that no entry has."""
        wanted = {(entry["before"] or {}).get("copy") for entry in entries.values()}
        for name in self.numbers():
            if name not in wanted:
                files.remove(self.folder / name)
