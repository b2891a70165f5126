"""What is built and committed for the functions to ship."""

from __future__ import annotations

from pathlib import Path

import certifi

from infra import roots


def test_shipped_certificates_are_those_of_the_pinned_bundle() -> None:
    """A root that certifi replaces or drops must not live on in our copy."""
    assert roots.select(Path(certifi.where()).read_text()) == roots.PATH.read_text()
