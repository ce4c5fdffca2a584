"""A shim driven without containerd: the start verb, the Task service, the delete verb."""
import itertools
import json
import os
import shutil
import subprocess
import time

from bed import image, places, run, task, ttrpc, wire

_numbers = itertools.count(1)


def run_measured(argv, cwd, env):
    """(wall seconds until exit and end of output, CPU seconds, output) as containerd would wait."""
    began = time.monotonic()
    process = subprocess.Popen(argv, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT)
    out = process.stdout.read().decode(errors="replace")
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - began
    process.stdout.close()
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, f"{argv}: exit {process.returncode}: {out}"
    return wall, usage.ru_utime + usage.ru_stime, out


class RawShim:
    """One bundle and its shim; close() shuts the shim down and removes what it left.

    The work folder stands in the environment, so that the bed's clean-up finds the processes.
    """

    def __init__(self, bench, args=("sleep", "1000")):
        daemon = bench.daemon
        self.program, self.id = str(places.shim()), f"{daemon.namespace}-raw{next(_numbers)}"
        self.namespace = daemon.namespace
        self.bundle = bench.work / "raw" / self.id
        self.bundle.mkdir(parents=True)
        self.address = str(bench.work / "raw.sock")
        self.sink = ttrpc.EventSink(self.address + ".ttrpc")
        self.environment = {**daemon.environment(), "TTRPC_ADDRESS": self.address + ".ttrpc",
                            "GRPC_ADDRESS": self.address}
        self._write_spec(bench, args)
        self.task = self.pid = None

    def _write_spec(self, bench, args):
        spec = json.loads(bench.daemon.ctr("oci", "spec").ok().out)
        spec["root"] = {"path": str(bench.rootfs)}
        spec["process"].update(args=list(args), env=[image.PATH])
        spec["linux"]["cgroupsPath"] = f"/{self.namespace}/{self.id}"
        (self.bundle / "config.json").write_text(json.dumps(spec))

    def _verb(self, *words):
        argv = [self.program, "-namespace", self.namespace, "-address", self.address, "-publish-binary",
                "/usr/bin/containerd", "-id", self.id, *words]
        return run_measured(argv, self.bundle, self.environment)

    def start(self):
        """The start verb; (wall, CPU) in seconds."""
        wall, cpu, out = self._verb("start")
        self.task = task.Task(out.strip())
        self.pid = wire.first(self.task.call("Connect", id=self.id), 1)
        return wall, cpu

    def create_and_start(self):
        self.task.create(self.id, self.bundle)
        self.task.start(self.id)

    def remove(self):
        """Ends a started container, as `ctr task rm -f` would."""
        waiting = self.task.begin("Wait", id=self.id)
        self.task.kill(self.id, 9)
        self.task.client.finish(waiting, 30)
        self.task.call("Delete", id=self.id)

    def close(self):
        try:
            if self.task:
                try:
                    self.task.call("Shutdown", id=self.id, timeout=10)
                except ttrpc.Closed:
                    pass  # it may end before it answers
                self.task.client.close()
                run.wait_until(lambda: not os.path.exists(f"/proc/{self.pid}"), 10, "the shim ends")
            self._verb("-bundle", str(self.bundle), "delete")
        finally:
            self.sink.close()
            shutil.rmtree(self.bundle)
