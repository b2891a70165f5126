"""What the checks of a program document say reaches whoever publishes it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from introducer.check import document as document_check
from introducer.tables import programs
from tests.support.api import Reply, call, login
from tests.support.documents import ATTESTED, document, plan

MANAGER = login("sub-m", "manager")
NOW = "2026-11-22T11:17:00.000Z"
FOLDER = Path("infra/programs")

pytestmark = pytest.mark.usefixtures("aws", "frozen")


def publish(program: str, body: Any) -> Reply:
    """Publish a version of *program*."""
    return call("POST", f"/v1/programs/{program}/versions", body, claims=MANAGER)


def test_every_example_is_published() -> None:
    """Each document that ships is stored whole, the regional one with its base."""
    for name in ("telecom", "telecom-us", "saas", "insurance", "marketplace"):
        sent = json.loads((FOLDER / f"{name}.json").read_bytes())
        assert (201, name) == (publish(name, sent).status, sent["id"])
        base = (FOLDER / "telecom.json").read_bytes()
        whole = document_check.parse(json.dumps(sent).encode(), lambda *_, base=base: base)
        assert msgspec.to_builtins(whole) == msgspec.to_builtins(
            programs.current(name, NOW).document
        )


def test_a_mechanic_the_law_forbids_is_not_published() -> None:
    """Cash for patients is refused with the law; nothing is stored."""
    reply = publish("acme", document(trade="health_care", countries=["DE"]))
    assert (422, "invalid_program") == reply.problem()
    assert [
        {
            "path": "$.rewards[0]",
            "problem": "a reward in cash is forbidden in DE for health_care: Sections 299a, 299b"
            " StGB and section 7 HWG: no advantage for referring patients, small gifts apart",
            "remedy": "keep the plan out of there by audience or condition, or reward otherwise",
        }
    ] == reply.body["findings"]
    assert programs.find_head("acme") is None


def test_a_draw_is_published_once_somebody_answers_for_it() -> None:
    """The attestation is part of the version, by name and time."""
    draw = document(plan(type="experience", by_chance=True))
    assert (422, "invalid_program") == publish("acme", draw).problem()
    assert 201 == publish("acme", draw | {"attestations": {"draw_by_referral": ATTESTED}}).status
    (stored,) = programs.current("acme", NOW).document.attestations.values()
    assert ATTESTED == msgspec.to_builtins(stored)


@pytest.mark.parametrize("body", ['{"id": "acme", "id": "acme"}', "[" * 5000, '{"id": NaN}'])
def test_hostile_documents_are_refused_like_any_other(body: str) -> None:
    """No input makes publishing fail with anything but findings."""
    reply = publish("acme", body)
    assert (422, "invalid_program") == reply.problem()
    assert all(finding["path"].startswith("$") for finding in reply.body["findings"])
