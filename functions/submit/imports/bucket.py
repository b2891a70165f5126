"""The files of imports: what was sent, pieces of the result, the result."""

from __future__ import annotations

from botocore.exceptions import ClientError

from introducer.clients import client
from introducer.settings import setting


def size_and_mark(key: str) -> tuple[int, str] | None:
    """Return how many bytes a file has and the bucket's mark of its content; None for no file."""
    try:
        answer = client("s3").head_object(Bucket=_name(), Key=key)
    except ClientError as failure:
        if failure.response["Error"]["Code"] in {"404", "NoSuchKey"}:
            return None
        raise
    return int(answer["ContentLength"]), str(answer["ETag"])


def read(key: str) -> tuple[bytes, str]:
    """Return a file's content and the bucket's mark of it."""
    answer = client("s3").get_object(Bucket=_name(), Key=key)
    return answer["Body"].read(), str(answer["ETag"])


def write(key: str, content: str) -> None:
    """Write a CSV file; one of the same name was the same work, done before."""
    client("s3").put_object(
        Bucket=_name(), Key=key, Body=content.encode(), ContentType="text/csv; charset=utf-8"
    )


def _name() -> str:
    return setting("INTAKE_BUCKET")
