"""What the embedded AWS drops of the template is set by API."""

from __future__ import annotations

import pytest

from infra.after_deploy import _lock
from introducer.clients import client
from tests.support.template import TEMPLATE

WANTED = TEMPLATE["Resources"]["ProofBucket"]["Properties"]["ObjectLockConfiguration"]
GIVEN = {"ProofMode": "COMPLIANCE", "ProofDays": "7"}


def test_bucket_of_proofs_gets_its_lock(engine: str) -> None:
    """An empty bucket is made anew with the lock; asked again it is kept with what is in it."""
    assert engine
    s3, bucket = client("s3"), "stack-proofbucket-1"
    s3.create_bucket(Bucket=bucket)
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})

    _lock(s3, bucket, WANTED, GIVEN)
    made = s3.put_object(Bucket=bucket, Key="roots/a.json", Body=b"1")
    _lock(s3, bucket, WANTED, GIVEN)

    lock = s3.get_object_lock_configuration(Bucket=bucket)["ObjectLockConfiguration"]
    assert {"Mode": "COMPLIANCE", "Days": 7} == lock["Rule"]["DefaultRetention"]
    with pytest.raises(s3.exceptions.ClientError, match="AccessDenied"):
        s3.delete_object(Bucket=bucket, Key="roots/a.json", VersionId=made["VersionId"])
