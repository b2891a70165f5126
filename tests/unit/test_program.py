"""A program document is published only when it means something."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from introducer.check import document as document_check
from introducer.errors import InvalidProgramError

EXAMPLE: dict[str, Any] = json.loads(Path("infra/programs/telecom.json").read_text())


def _findings(**changes: Any) -> list[dict[str, str]]:
    document = copy.deepcopy(EXAMPLE) | changes
    with pytest.raises(InvalidProgramError) as refused:
        document_check.parse(json.dumps(document).encode())
    return refused.value.findings


def test_the_example_is_valid() -> None:
    """The document that ships is one that can be published."""
    document = document_check.parse(json.dumps(EXAMPLE).encode())
    assert ["employees", "customers", "partners", "affiliates", "companies"] == list(
        document.audiences
    )


def test_all_findings_are_told_at_once_with_path_and_remedy() -> None:
    """Who mends a document sees everything that is wrong with it."""
    rewards = copy.deepcopy(EXAMPLE["rewards"])
    rewards[0]["milestones"][0]["share_basis_points"] = 2_000
    rewards[1]["audiences"] = ["nobody"]
    assert [
        {
            "path": "$.currency",
            "problem": "XYZ is not a currency",
            "remedy": "use an ISO 4217 code",
        },
        {
            "path": "$.time_zone",
            "problem": "unknown time zone",
            "remedy": "use an IANA name such as Europe/Berlin",
        },
        {
            "path": "$.rewards[0].milestones",
            "problem": "the shares add up to 9500 basis points",
            "remedy": "make them add up to 10000",
        },
        {
            "path": "$.rewards[1].audiences[0]",
            "problem": "there is no audience nobody",
            "remedy": "declare it in audiences",
        },
    ] == _findings(currency="XYZ", rewards=rewards, time_zone="Mars/Olympus")


def test_a_typo_is_a_finding() -> None:
    """A field the product does not know is never skipped in silence."""
    assert [
        {
            "path": "$.retention_day",
            "problem": "there is no field retention_day here",
            "remedy": "did you mean retention_days?",
        }
    ] == _findings(retention_day=3)


def test_a_rule_behind_a_catch_all_is_found() -> None:
    """A rule that can never be reached is a mistake."""
    rules = [{"reps": ["anna-berlin"]}, {"reps": ["tom-toronto"], "countries": ["US"]}]
    assert ["$.routing.rules[1]"] == [each["path"] for each in _findings(routing={"rules": rules})]


def test_links_may_not_lead_away_by_default() -> None:
    """The default destination obeys the allow-list too."""
    assert ["$.landing_url"] == [
        each["path"] for each in _findings(landing_url="https://evil.example/x")
    ]


def test_stages_may_not_be_named_like_statuses() -> None:
    """A stage called won would let the CRM skip the sale."""
    paths = [each["path"] for each in _findings(stages=["won"])]
    assert "$.stages[0]" in paths


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"\xff\xfe"])
def test_what_is_no_document_is_refused_with_a_path(body: bytes) -> None:
    """Broken input is a finding, not a crash."""
    with pytest.raises(InvalidProgramError) as refused:
        document_check.parse(body)
    assert "$" == refused.value.findings[0]["path"]
