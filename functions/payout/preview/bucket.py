"""The bucket of previews: uploads in, facts and results out. Nothing personal is in it."""

from __future__ import annotations

from pathlib import Path

from botocore.exceptions import ClientError

from introducer.clients import client
from introducer.settings import setting

_CHUNK_BYTES = 1 << 20


def size(key: str) -> int | None:
    """Return how many bytes a file has, None when there is none."""
    try:
        answer = client("s3").head_object(Bucket=_name(), Key=key)
    except ClientError as failure:
        if failure.response["Error"]["Code"] in {"404", "NoSuchKey"}:
            return None
        raise
    return int(answer["ContentLength"])


def fetch(key: str, to: Path) -> Path:
    """Copy a file to *to*, a piece at a time, and return that."""
    body = client("s3").get_object(Bucket=_name(), Key=key)["Body"]
    with to.open("wb") as file:
        for chunk in body.iter_chunks(_CHUNK_BYTES):
            file.write(chunk)
    return to


def write(key: str, content: bytes | Path, kind: str) -> None:
    """Write a file; one of the same name was the same work, done before."""
    if isinstance(content, Path):
        with content.open("rb") as file:
            client("s3").put_object(Bucket=_name(), Key=key, Body=file, ContentType=kind)
    else:
        client("s3").put_object(Bucket=_name(), Key=key, Body=content, ContentType=kind)


def _name() -> str:
    return setting("PREVIEW_BUCKET")
