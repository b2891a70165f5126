"""The other services money needs, in memory: a bucket, a key, state machines."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from typing import Any, ClassVar

from botocore.exceptions import ClientError

from tests.simulation.storage import refused

Wrap = Callable[[str, str, Callable[[], Any]], Any]
"""What a call goes through: service, operation, and what does it."""


class NoSuchKey(ClientError):  # noqa: N818  (as the SDK calls it)
    """There is no such object."""


class ExecutionAlreadyExists(ClientError):  # noqa: N818
    """An execution of that name exists."""


class ExecutionDoesNotExist(ClientError):  # noqa: N818
    """There is no such execution."""


class TaskTimedOut(ClientError):  # noqa: N818
    """The task has ended."""


class TaskDoesNotExist(ClientError):  # noqa: N818
    """There is no such task."""


class S3:
    """Objects by key; every bucket is there."""

    class exceptions:  # noqa: N801  (as the SDK calls it)
        """The errors that are caught."""

        NoSuchKey: ClassVar[type[ClientError]] = NoSuchKey
        ClientError: ClassVar[type[ClientError]] = ClientError

    def __init__(self, wrap: Wrap) -> None:
        self.objects: dict[tuple[str, str], bytes] = {}
        self.watchers: list[Callable[[str, bytes | None, bytes], None]] = []
        """Called with key, what was there, and what is there now."""
        self._wrap = wrap

    def get_object(self, **params: Any) -> dict[str, Any]:
        """Return an object."""
        return self._wrap("s3", "GetObject", lambda: self._get(params))

    def head_object(self, **params: Any) -> dict[str, Any]:
        """Return what is known of an object."""
        return self._wrap("s3", "HeadObject", lambda: self._head(params))

    def put_object(self, **params: Any) -> dict[str, Any]:
        """Store an object, with ``IfNoneMatch`` only where there is none."""
        return self._wrap("s3", "PutObject", lambda: self._put(params))

    def delete_object(self, **params: Any) -> dict[str, Any]:
        """Remove an object."""

        def delete() -> dict[str, Any]:
            self.objects.pop((params["Bucket"], params["Key"]), None)
            return {}

        return self._wrap("s3", "DeleteObject", delete)

    def list_objects_v2(self, **params: Any) -> dict[str, Any]:
        """Return the keys of a bucket, in order."""

        def found() -> dict[str, Any]:
            prefix = params.get("Prefix", "")
            keys = sorted(key for bucket, key in self.objects if bucket == params["Bucket"])
            return {"Contents": [{"Key": key} for key in keys if key.startswith(prefix)]}

        return self._wrap("s3", "ListObjectsV2", found)

    def get_paginator(self, name: str) -> Versions:
        """Return what lists versions: of every object there is one."""
        assert name == "list_object_versions"
        return Versions(self)

    def _get(self, params: dict[str, Any]) -> dict[str, Any]:
        found = self._find(params, "GetObject")
        return {"Body": io.BytesIO(found), "ContentLength": len(found)}

    def _head(self, params: dict[str, Any]) -> dict[str, Any]:
        return {"ContentLength": len(self._find(params, "HeadObject"))}

    def _find(self, params: dict[str, Any], operation: str) -> bytes:
        found = self.objects.get((params["Bucket"], params["Key"]))
        if found is None:
            raise NoSuchKey({"Error": {"Code": "NoSuchKey", "Message": "none"}}, operation)
        return found

    def _put(self, params: dict[str, Any]) -> dict[str, Any]:
        place = params["Bucket"], params["Key"]
        before = self.objects.get(place)
        if params.get("IfNoneMatch") == "*" and before is not None:
            raise refused("PreconditionFailed", "the object exists", "PutObject")
        content = params.get("Body", b"")
        content = content if isinstance(content, bytes) else content.read()
        self.objects[place] = content
        for watcher in self.watchers:
            watcher(params["Key"], before, content)
        return {}


class Versions:
    """Lists the versions of a bucket's objects, on one page."""

    def __init__(self, s3: S3) -> None:
        self._s3 = s3

    def paginate(self, **params: Any) -> list[dict[str, Any]]:
        """Return the pages."""
        found = self._s3.list_objects_v2(**params)["Contents"]
        return [{"Versions": [{"Key": each["Key"], "VersionId": "1"} for each in found]}]


class Kms:
    """Data keys that are the same in every run, so that a seed replays."""

    def __init__(self, wrap: Wrap) -> None:
        self._made = 0
        self._wrap = wrap

    def generate_data_key(self, **params: Any) -> dict[str, Any]:
        """Return a new key, plain and wrapped."""

        def make() -> dict[str, Any]:
            self._made += 1
            plain = hashlib.sha256(b"data key %d" % self._made).digest()
            return {"Plaintext": plain, "CiphertextBlob": _context(params) + plain}

        return self._wrap("kms", "GenerateDataKey", make)

    def decrypt(self, **params: Any) -> dict[str, Any]:
        """Return the plain key of a wrapped one."""

        def unwrap() -> dict[str, Any]:
            context, plain = params["CiphertextBlob"][:-32], params["CiphertextBlob"][-32:]
            if context != _context(params):
                raise refused("InvalidCiphertextException", "another context", "Decrypt")
            return {"Plaintext": plain}

        return self._wrap("kms", "Decrypt", unwrap)


class StepFunctions:
    """Executions by name, and tasks that wait for their token."""

    class exceptions:  # noqa: N801  (as the SDK calls it)
        """The errors that are caught."""

        ExecutionAlreadyExists: ClassVar[type[ClientError]] = ExecutionAlreadyExists
        ExecutionDoesNotExist: ClassVar[type[ClientError]] = ExecutionDoesNotExist
        TaskTimedOut: ClassVar[type[ClientError]] = TaskTimedOut
        TaskDoesNotExist: ClassVar[type[ClientError]] = TaskDoesNotExist

    def __init__(self, wrap: Wrap) -> None:
        self.inputs: dict[str, str] = {}
        self.status: dict[str, str] = {}
        """RUNNING, FAILED or SUCCEEDED, by name."""
        self.redriven: list[str] = []
        """Names of failed executions that are to go on."""
        self.waiting: set[str] = set()
        self.woken: set[str] = set()
        self.started: list[str] = []
        """Names of executions nobody has taken up yet."""
        self._wrap = wrap

    def start_execution(self, **params: Any) -> dict[str, Any]:
        """Start an execution; the same name and input again is the same while it runs."""

        def start() -> dict[str, Any]:
            name = params["name"]
            known = self.inputs.get(name)
            if known is not None and (known != params["input"] or self.status[name] != "RUNNING"):
                code = "ExecutionAlreadyExists"
                raise ExecutionAlreadyExists({"Error": {"Code": code}}, "StartExecution")
            if known is None:
                self.inputs[name] = params["input"]
                self.status[name] = "RUNNING"
                self.started.append(name)
            return {"executionArn": name}

        return self._wrap("stepfunctions", "StartExecution", start)

    def describe_execution(self, **params: Any) -> dict[str, Any]:
        """Return how an execution stands."""

        def describe() -> dict[str, Any]:
            name = params["executionArn"].rpartition(":")[2]
            if name not in self.inputs:
                code = "ExecutionDoesNotExist"
                raise ExecutionDoesNotExist({"Error": {"Code": code}}, "DescribeExecution")
            return {"status": self.status[name], "input": self.inputs[name]}

        return self._wrap("stepfunctions", "DescribeExecution", describe)

    def redrive_execution(self, **params: Any) -> dict[str, Any]:
        """Let a failed execution go on from where it stood."""

        def redrive() -> dict[str, Any]:
            name = params["executionArn"].rpartition(":")[2]
            if self.status[name] != "FAILED":
                raise refused("ExecutionNotRedrivable", name, "RedriveExecution")
            self.status[name] = "RUNNING"
            self.redriven.append(name)
            return {}

        return self._wrap("stepfunctions", "RedriveExecution", redrive)

    def send_task_success(self, **params: Any) -> dict[str, Any]:
        """End a waiting task."""

        def wake() -> dict[str, Any]:
            token = params["taskToken"]
            if token not in self.waiting:
                error = TaskTimedOut if token in self.woken else TaskDoesNotExist
                raise error({"Error": {"Code": error.__name__}}, "SendTaskSuccess")
            self.waiting.discard(token)
            self.woken.add(token)
            return {}

        return self._wrap("stepfunctions", "SendTaskSuccess", wake)


def _context(params: dict[str, Any]) -> bytes:
    return repr(sorted(params.get("EncryptionContext", {}).items())).encode()
