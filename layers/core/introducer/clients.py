"""One AWS session and one client per service for the whole process."""

from __future__ import annotations

from functools import cache
from typing import Any

import botocore.session
from botocore.config import Config


@cache
def _session() -> botocore.session.Session:
    return botocore.session.get_session()


@cache
def client(service: str) -> Any:  # noqa: ANN401  (botocore makes client classes at run time)
    """Return the process's client for *service*, made on first use."""
    config = Config(
        connect_timeout=1,
        read_timeout=5,
        retries={"mode": "standard"},
        # Presigned links are of the old kind otherwise, which signs neither length nor type.
        signature_version="s3v4" if service == "s3" else None,
    )
    return _session().create_client(service, config=config)
