"""Notice of change: everybody affected by a new version hears of it, once, and before it counts.

The event of publishing comes from the bus. From then on the queue feeds itself: a message is
a place in the list of the program's partners; whoever handles it tells the next fifty and
puts the place after them back. Mail to everybody else does not wait behind this. Who could
not be reached becomes a message of their own, so that one bad address holds up nobody; when
nobody of a page could be reached, the fault is ours and the page stays.

What was sent is remembered by the mail's own claims, so a message may come any number of
times.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from introducer import changes, clock, publication, streams, wording
from introducer.clients import client
from introducer.clock import Instant
from introducer.errors import UncertainError
from introducer.partner import Partner
from introducer.program import Program, ProgramVersion
from introducer.settings import setting
from introducer.streams import Answer, Batch, Delivery, Record
from introducer.tables import events, partners, programs
from introducer.tables.store import Item
from notify import messages
from notify.letters import NEWS_DAYS, Letter
from notify.mail import deliver

PAGE = 50
"""Partners told by one message: a few seconds of work."""
_DAYS_PER_PAGE = 200
"""Days looked at by one message; on most nobody enrolled."""
_MESSAGES_PER_CALL = 10


class Place(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where in the list of partners the notice of a version has come to.

    Attributes:
        event: The id of the event of publishing; mails are claimed under it.
        day: Partners who enrolled on this day are next; empty for the first.
        start: Where that day goes on.
        partner: Only this one; empty for the list.
    """

    event: str
    program: str
    version: int
    day: str = ""
    start: Item | None = None
    partner: str = ""


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be told of a version: its sentences by audience and language."""

    version: ProgramVersion
    time_zone: str
    lines: dict[str, dict[str, list[str]]]


def handler(event: Mapping[str, Any], _context: object) -> Answer:
    """Take one step for each message; what fails stays in the queue."""
    return streams.from_queue(event, work, read=place_of)


def work(batch: Batch) -> None:
    """Tell the partners of each place."""
    batch.each(record_handler)


def place_of(delivery: Delivery) -> Record:
    """Return the place a message names: one of ours, or the beginning for an event."""
    body: Record = json.loads(delivery["body"])
    if "place" in body:
        place: Record = body["place"]
        return place
    event = body["detail"]
    return {"event": event["id"], "program": event["program"], "version": event["seq"]}


def record_handler(record: Record) -> None:
    """Tell the partners at one place and put what is left to do into the queue.

    Raises:
        UncertainError: Nobody could be told, or the queue did not take the rest.
        ClientError: The mail service refused the only one there is to tell.
    """
    place, now = msgspec.convert(record, Place), clock.now()
    notice = find_notice(place, now)
    if notice is None:
        return
    if place.partner:
        for letter in letters(notice, place, [place.partner]):
            deliver(letter)
        return
    told, left = next_page(place, now)
    failed = _deliver_all(letters(notice, place, told))
    alone = [msgspec.structs.replace(place, partner=each, day="", start=None) for each in failed]
    _queue([*alone, *([left] if left else [])])


def find_notice(place: Place, now: Instant) -> Notice | None:
    """Return what is to be told, None when there is nothing to tell or it is overtaken.

    A first version changes nothing; one that another replaced has news no more, the other
    has its own; and what was published long ago is no news.
    """
    version = programs.version(place.program, place.version)
    head = programs.find_head(place.program)
    past = head is None or publication.state(head.slots(), version.version, now) == "past"
    if past or version.published_at < clock.plus(now, days=-NEWS_DAYS):
        return None
    number = version.follows or version.instead_of
    if not number:
        return None
    before = programs.version(place.program, number).document
    announced = (
        programs.version(place.program, version.instead_of).document
        if version.instead_of and version.follows
        else None
    )
    lines = {key: _lines(before, announced, version, key) for key in before.audiences}
    told = {key: found for key, found in lines.items() if any(found.values())}
    if not told:
        return None
    return Notice(version=version, time_zone=before.time_zone, lines=told)


def next_page(place: Place, now: Instant) -> tuple[list[str], Place | None]:
    """Return the partners at *place*, at most fifty, and the place after them.

    The list goes by the day of enrolment, from the day the program began to today.
    """
    day = place.day or clock.day(programs.version(place.program, 1).published_at)
    start, found = place.start, list[str]()
    for _ in range(_DAYS_PER_PAGE):
        if day > clock.day(now):
            return found, None
        names, start = events.made_on_page(
            "PARTNER", place.program, day, limit=PAGE - len(found), start=start
        )
        found += [name.partition("#")[2] for name in names]
        if start is None:
            day = clock.day(clock.plus(f"{day}T00:00:00.000Z", days=1))
        if len(found) >= PAGE:
            break
    return found, msgspec.structs.replace(place, day=day, start=start)


def letters(notice: Notice, place: Place, told: Sequence[str]) -> list[Letter]:
    """Return the letters to the active partners among *told* for whom something changes."""
    profiles = partners.find_partners(list(told)).values()
    return [
        _letter(notice, place, each)
        for each in profiles
        if each.status == "active" and each.audience in notice.lines
    ]


def _letter(notice: Notice, place: Place, partner: Partner) -> Letter:
    version, lines = notice.version, notice.lines[partner.audience]
    return Letter(
        message=messages.NOTICE,
        program=version.program,
        recipient=partner.id,
        person=partner.person,
        occasion=place.event,
        facts={},
        local={
            code: {"from": wording.language(code).date(version.effective_at, notice.time_zone)}
            for code in lines
        },
        lines=lines,
    )


def _lines(
    before: Program, announced: Program | None, version: ProgramVersion, audience: str
) -> dict[str, list[str]]:
    """Return what changes for *audience*, by language."""
    after, now = version.document, version.published_at
    return {
        code: changes.told(before, announced, after, audience, now, code)
        for code in sorted(messages.languages())
    }


def _deliver_all(wanted: Sequence[Letter]) -> list[str]:
    """Send every letter; return the recipients of those that failed.

    Raises:
        UncertainError: All of them failed.
    """
    sending = Batch([{"number": number} for number in range(len(wanted))], dict)
    sending.each(lambda record: deliver(wanted[record["number"]]))
    if wanted and len(sending.failed) == len(wanted):
        message = f"no mail of this page could be sent: {sending.failed[0]}"
        raise UncertainError(message)
    return [wanted[number].recipient for number in sorted(sending.failed)]


def _queue(places: Sequence[Place]) -> None:
    """Put *places* into the queue.

    Raises:
        UncertainError: It did not take all of them.
    """
    for begin in range(0, len(places), _MESSAGES_PER_CALL):
        entries = [
            {"Id": str(number), "MessageBody": msgspec.json.encode({"place": each}).decode()}
            for number, each in enumerate(places[begin : begin + _MESSAGES_PER_CALL])
        ]
        answer = client("sqs").send_message_batch(
            QueueUrl=setting("NOTICE_QUEUE_URL"), Entries=entries
        )
        if answer.get("Failed"):
            message = "the queue did not take what is left to do"
            raise UncertainError(message, count=len(answer["Failed"]))
