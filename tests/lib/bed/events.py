"""`ctr events` with the time at which each line came."""
import json
import subprocess
import threading
import time

from bed import run


class Events:
    """Of one daemon, for as long as it lives. `ctr` does not say when it listens: begin well before what matters."""

    def __init__(self, daemon):
        self.lines = []
        self.process = subprocess.Popen([str(word) for word in daemon.ctr_argv("events")],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                                        env=daemon.environment(), preexec_fn=run._follow_parent)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.append((time.monotonic(), line))

    def exits(self):
        """{container id: (when its exit was told, status)}; execs do not count."""
        found = {}
        for when, line in list(self.lines):
            if " /tasks/exit " in line:
                event = json.loads(line[line.index("{"):])
                if event["container_id"] == event["id"]:
                    found[event["id"]] = (when, event.get("exit_status", 0))
        return found

    def await_exits(self, ids, timeout=30):
        """The exits of all of these containers."""
        ids = set(ids)
        run.wait_until(lambda: ids <= self.exits().keys(), timeout, f"/tasks/exit of {len(ids)} containers",
                       interval=0.01)
        return {id: exit for id, exit in self.exits().items() if id in ids}

    def close(self):
        self.process.kill()
        self.process.wait()
        self._reader.join()
