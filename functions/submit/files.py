"""Short-lived files for whoever asked: written to the intake bucket, read by a presigned link."""

from __future__ import annotations

from introducer.clients import client
from introducer.settings import setting

LINK_S = 900
"""A link works for so long; asking again gives a new one."""


def publish(key: str, body: bytes, media: str) -> str:
    """Write a file, over an older one of this name, and return a link to read it."""
    bucket = setting("INTAKE_BUCKET")
    s3 = client("s3")
    s3.put_object(Bucket=bucket, Key=key, Body=body, ContentType=media)
    link: str = s3.generate_presigned_url(
        "get_object", Params={"Bucket": bucket, "Key": key}, ExpiresIn=LINK_S
    )
    return link
