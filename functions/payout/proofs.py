"""The bucket of roots: every seal once, where nobody can change it before its time is over."""

from __future__ import annotations

from collections.abc import Container

from botocore.exceptions import ClientError

from introducer import sealing
from introducer.clients import client
from introducer.sealing import Seal
from introducer.settings import setting

_DAY = len("2026-11-22")


def keep(seal: Seal) -> bool:
    """Write the root of *seal* unless there is one; return whether what is there is it."""
    content, key = sealing.root(seal), _key(seal)
    try:
        client("s3").put_object(
            Bucket=setting("PROOF_BUCKET"),
            Key=key,
            Body=content,
            ContentType="application/json",
            ChecksumAlgorithm="SHA256",  # a locked bucket asks for a checksum
            IfNoneMatch="*",
        )
    except ClientError as failure:
        if failure.response["Error"]["Code"] != "PreconditionFailed":
            raise
        return _read(key, _oldest(key)[key]) == content
    return True


def of_program(program: str, days: Container[str] | None = None) -> dict[tuple[str, int], bytes]:
    """Return the roots of *program* by day and supplement: of *days*, or all there are."""
    prefix, found = f"roots/{program}/", {}
    for key, version in _oldest(prefix).items():
        name = key.removeprefix(prefix).removesuffix(".json")
        day, supplement = name[:_DAY], int(name[_DAY + 1 :] or 0)
        if days is None or day in days:
            found[day, supplement] = _read(key, version)
    return found


def _oldest(prefix: str) -> dict[str, str]:
    """Return the oldest version of every key: a newer one, or a deletion, is an afterthought."""
    pages = client("s3").get_paginator("list_object_versions")
    return {
        each["Key"]: each["VersionId"]  # S3 lists the versions of a key from the newest on
        for page in pages.paginate(Bucket=setting("PROOF_BUCKET"), Prefix=prefix)
        for each in page.get("Versions", [])
    }


def _read(key: str, version: str) -> bytes:
    answer = client("s3").get_object(Bucket=setting("PROOF_BUCKET"), Key=key, VersionId=version)
    return bytes(answer["Body"].read())


def _key(seal: Seal) -> str:
    supplement = f"-{seal.supplement}" if seal.supplement else ""
    return f"roots/{seal.program}/{seal.day}{supplement}.json"
