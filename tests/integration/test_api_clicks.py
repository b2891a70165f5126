"""What was counted: ``GET /v1/me/links/{code}/clicks``, ``GET /v1/programs/{program}/clicks``."""

from __future__ import annotations

from typing import Any

import pytest

from introducer.link import Link
from introducer.tables import links, rollups
from introducer.tables.store import Transaction
from tests.support import life
from tests.support.api import Reply, call, login

PIA, PAUL, MANAGER = login("login-pia"), login("login-paul"), login("m", "manager")

pytestmark = pytest.mark.usefixtures("aws", "frozen")


@pytest.fixture(autouse=True)
def counted(aws: None) -> None:  # noqa: ARG001  (pytest orders fixtures by it)
    """Pia has a link that was followed five times on two days; a robot came too."""
    life.publish()
    life.enrol("pia")
    life.enrol("paul")
    writes = Transaction()
    links.add(
        writes,
        Link(
            code="piacode1",
            program="acme",
            partner="pia",
            destination="https://www.acme.example/start",
            created_at=life.NOW,
        ),
        actor="PARTNER#pia",
    )
    writes.commit()
    clicks = [
        *(click(number, "2026-11-21", channel="card") for number in range(2)),
        *(click(number, "2026-11-22", channel="linkedin", asset="post") for number in range(2, 5)),
        click(5, "2026-11-22", counted=False),
    ]
    rollups.add(clicks, life.NOW)


def click(number: int, day: str, **overrides: Any) -> rollups.Click:
    """Return a click on Pia's link."""
    return rollups.Click(
        event=f"event-{number}",
        program="acme",
        partner="pia",
        link="piacode1",
        day=day,
        **overrides,
    )


def row(day: str, clicks: int, value: str = "", set_aside: int = 0) -> dict[str, Any]:
    """Return a row as the API tells it."""
    return {"day": day, "value": value, "clicks": clicks, "set_aside": set_aside}


def read(path: str, claims: dict[str, str]) -> Reply:
    """Call GET."""
    return call("GET", path, claims=claims)


def test_partner_sees_the_days_of_an_own_link() -> None:
    """Today without being asked for days; what was set aside is nobody's link's affair."""
    path = "/v1/me/links/piacode1/clicks"
    assert {"items": [row("2026-11-22", 3)]} == read(path, PIA).body
    days = read(f"{path}?first=2026-11-01&last=2026-11-30", PIA)
    assert {"items": [row("2026-11-21", 2), row("2026-11-22", 3)]} == days.body


@pytest.mark.parametrize("code", ["piacode1", "nothing1"])
def test_a_link_of_somebody_else_is_none(code: str) -> None:
    """Somebody else's and nobody's links answer alike."""
    assert (404, "not_found") == read(f"/v1/me/links/{code}/clicks", PAUL).problem()


def test_manager_sees_the_program_by_day_and_by_value() -> None:
    """What robots followed stands beside what people did; each dimension is one list."""
    path = "/v1/programs/acme/clicks?first=2026-11-01&last=2026-11-30"
    assert {
        "day": [row("2026-11-21", 2), row("2026-11-22", 3, set_aside=1)],
        "channel": [row("2026-11-21", 2, "card"), row("2026-11-22", 3, "linkedin")],
        "asset": [row("2026-11-22", 3, "post")],
        "campaign": [],
    } == {
        by: read(f"{path}&by={by}", MANAGER).body["items"]
        for by in ("day", "channel", "asset", "campaign")
    }


@pytest.mark.parametrize(
    "days",
    [
        "first=2026-02-30",
        "first=2026-11-23",
        "first=2025-01-01",
        "first=2026-11-22&last=2026-11-01",
    ],
)
def test_days_that_make_no_span_are_refused(days: str) -> None:
    """No such day, the future, more than a year, or backwards."""
    reply = read(f"/v1/programs/acme/clicks?{days}", MANAGER)
    assert (422, "invalid_days", "first") == reply.field()
