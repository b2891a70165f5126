"""How often links were followed: for partners by link, for managers by campaign, channel, asset."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from introducer.clock import day
from introducer.errors import InvalidInputError, NotFoundError
from introducer.tables import links, programs, rollups
from submit.acting import PARTNER, READERS, partner_of
from submit.http import Answer, Call, Resource
from submit.inputs import Input

MOST_DAYS = 366

resource = Resource(__name__)
own = Resource(f"{__name__}.own")
"""The part that partners see."""

Day = Annotated[str, Meta(pattern=r"^([0-9]{4}-[0-9]{2}-[0-9]{2})?$(?!\n)")]


class Days(Input, frozen=True, kw_only=True):
    """Which days, UTC, both included; empty for today."""

    first: Day = ""
    last: Day = ""


class Report(Days, frozen=True, kw_only=True):
    """Which days, and by what; ``day`` is the program's whole, with what was set aside."""

    by: Literal["day", "campaign", "channel", "asset", "country"] = "day"


class Clicks(msgspec.Struct, frozen=True, kw_only=True):
    """Clicks of people on one day, and those set aside as of robots and the like.

    ``value`` is the campaign, channel, asset or country; what is set aside is told by day only.
    """

    day: str
    value: str
    clicks: int
    set_aside: int


class ClickList(msgspec.Struct, frozen=True, kw_only=True):
    """Days on which there was something to count, oldest first."""

    items: list[Clicks]


@own.endpoint(
    "GET",
    "/v1/me/links/{code}/clicks",
    roles=PARTNER,
    query=Days,
    answer=ClickList,
    codes=("not_enrolled", "invalid_days"),
)
def of_link(call: Call[Any, Days]) -> Answer:
    """Count the clicks on one of one's own links, by day."""
    partner = partner_of(call)
    link = links.find(call.path["code"])
    if link is None or link.partner != partner.id:
        raise NotFoundError("no such link")
    first, last = _days(call.query, call.now)
    found = rollups.days(link.program, first, last, link=link.code)
    return Answer(body=ClickList(items=[_row(each) for each in found]))


@resource.endpoint(
    "GET",
    "/v1/programs/{program}/clicks",
    roles=READERS,
    query=Report,
    answer=ClickList,
    codes=("invalid_days",),
)
def of_program(call: Call[Any, Report]) -> Answer:
    """Count the clicks of a program by day, campaign, channel, asset or country."""
    program = programs.current(call.path["program"], call.now).program
    first, last = _days(call.query, call.now)
    if call.query.by == "day":
        found = rollups.days(program, first, last)
    else:
        found = rollups.values(program, call.query.by, first, last)
    return Answer(body=ClickList(items=[_row(each) for each in found]))


def _days(query: Days, now: str) -> tuple[str, str]:
    from datetime import date

    today = day(now)
    try:
        first = date.fromisoformat(query.first or query.last or today)
        last = date.fromisoformat(query.last or today)
    except ValueError as failure:
        raise InvalidInputError("first", "there is no such day", code="invalid_days") from failure
    if not 0 <= (last - first).days < MOST_DAYS:
        message = f"from one day to a later one, {MOST_DAYS} at most"
        raise InvalidInputError("first", message, code="invalid_days")
    return first.isoformat(), last.isoformat()


def _row(each: rollups.Day) -> Clicks:
    return Clicks(day=each.day, value=each.value, clicks=each.clicks, set_aside=each.set_aside)
