"""A client of the container runtime interface: requests are dicts, answers are messages of cri.proto."""
import functools
import pathlib
import subprocess
import sys
import tempfile

import grpc
from google.protobuf import json_format

from bed import run

_SERVICE = "/runtime.v1.RuntimeService/"


@functools.cache
def messages():
    """The Python module of cri.proto; made by protoc, once per run."""
    source = pathlib.Path(__file__).with_name("cri.proto")
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["protoc", f"--proto_path={source.parent}", f"--python_out={folder}", source.name], check=True)
        sys.path.insert(0, folder)
        try:
            import cri_pb2
        finally:
            sys.path.remove(folder)
    return cri_pb2


class CriError(Exception):
    """The runtime refused; `code` is the name of the gRPC status, `message` its text."""

    def __init__(self, method, error):
        self.code, self.message = error.code().name, error.details()
        super().__init__(f"{method}: {self.code}: {self.message}")


class Client:
    """Calls by name: client.call("StopContainer", container_id=id, timeout=2). Thread-safe."""

    def __init__(self, socket):
        # A proxy of the environment has no business here.
        self._channel = grpc.insecure_channel(f"unix://{socket}", options=[("grpc.enable_http_proxy", 0)])

    def call(self, method, limit=120, **fields):
        invoke, request = self._prepared(method, fields)
        try:
            return invoke(request, timeout=limit * run.PATIENCE)
        except grpc.RpcError as error:
            raise CriError(method, error) from None

    def begin(self, method, limit=120, **fields):
        """The same without waiting: a gRPC future, which can be cancelled."""
        invoke, request = self._prepared(method, fields)
        return invoke.future(request, timeout=limit * run.PATIENCE)

    def _prepared(self, method, fields):
        request = json_format.ParseDict(fields, getattr(messages(), f"{method}Request")())
        answer = getattr(messages(), f"{method}Response")
        invoke = self._channel.unary_unary(_SERVICE + method, type(request).SerializeToString, answer.FromString)
        return invoke, request

    def close(self):
        self._channel.close()
