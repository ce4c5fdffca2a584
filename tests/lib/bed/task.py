"""The Task service as messages by hand (field numbers of containerd.task.v2)."""
import json

from bed import ttrpc, wire

V2, V3 = "containerd.task.v2.Task", "containerd.task.v3.Task"
PROCESS_URL = "types.containerd.io/opencontainers/runtime-spec/1/Process"
RESOURCES_URL = "types.containerd.io/opencontainers/runtime-spec/1/LinuxResources"
CREATED, RUNNING, STOPPED, PAUSED = 1, 2, 3, 4


def any_json(number, url, value):
    """The field `number` holding an Any of JSON."""
    return [(number, [(1, url), (2, json.dumps(value))])]


class Task:
    """A connection to a shim. call() returns decoded fields or raises ttrpc.CallError."""

    def __init__(self, address, service=V2):
        self.client, self.service = ttrpc.Client(address), service

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.client.close()

    @staticmethod
    def _payload(fields, id, exec_id):
        head = ([(1, id)] if id else []) + ([(2, exec_id)] if exec_id else [])
        return wire.encode(head + list(fields))

    def begin(self, method, fields=(), id="", exec_id=""):
        return self.client.begin(self.service, method, self._payload(fields, id, exec_id))

    def call(self, method, fields=(), id="", exec_id="", timeout=60):
        return self.client.finish(self.begin(method, fields, id, exec_id), timeout)

    def code(self, method, fields=(), id="", exec_id="", timeout=60):
        """The status code of a call: 0 when it succeeds."""
        try:
            self.call(method, fields, id, exec_id, timeout)
            return ttrpc.OK
        except ttrpc.CallError as error:
            return error.code

    # Calls with more fields than ids.

    def create(self, id, bundle, terminal=False, stdin="", stdout="", stderr="", config_path="", timeout=120):
        fields = [(2, str(bundle)), (4, terminal), (5, stdin), (6, stdout), (7, stderr)]
        if config_path:
            fields.append((10, [(1, "runtimeoptions.v1.Options"), (2, [(2, str(config_path))])]))
        return wire.first(self.call("Create", fields, id=id, timeout=timeout), 1)

    def start(self, id, exec_id=""):
        return wire.first(self.call("Start", id=id, exec_id=exec_id), 1)

    def exec(self, id, exec_id, args, terminal=False, stdin="", stdout="", stderr=""):
        process = {"args": args, "cwd": "/", "env": ["PATH=/bin"], "user": {"uid": 0, "gid": 0}}
        self.call("Exec", [(3, terminal), (4, stdin), (5, stdout), (6, stderr),
                           *any_json(7, PROCESS_URL, process)], id=id, exec_id=exec_id)

    def kill(self, id, signal, exec_id="", everyone=False):
        self.call("Kill", [(3, signal), (4, everyone)], id=id, exec_id=exec_id)

    def status(self, id, exec_id=""):
        return wire.first(self.call("State", id=id, exec_id=exec_id), 4, 0)

    def wait(self, id, exec_id="", timeout=60):
        return wire.first(self.call("Wait", id=id, exec_id=exec_id, timeout=timeout), 1, 0)
