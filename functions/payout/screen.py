"""Payees are compared with the program's list of people whom nobody may pay.

Looked at is who is due to be paid by a rule that asks for it, whenever the list or their
account is newer than the last look. Until then the gate says ``screening_pending``: a program
that asks for screening and has no list pays nobody by that rule.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import islice

from aws_lambda_powertools.utilities.typing import LambdaContext

from introducer import clock, sanctions
from introducer.clock import Instant
from introducer.errors import NotFoundError, StaleError
from introducer.partner import Partner
from introducer.program import Program
from introducer.sanctions import Index
from introducer.tables import ledger, partners, people, programs, screening
from introducer.tables.screening import CurrentList, Screened
from introducer.tables.store import Transaction
from payout import files
from payout.edge import logger

_CHUNK = 100
_MOST_HITS = 100
"""As many as are noted; who clears them sees the others the next time."""
_MARGIN_MS = 30_000
"""A run ends this long before its time is up; the next one goes on."""


def handler(event: dict[str, str], context: LambdaContext) -> dict[str, int]:
    """Screen who is due: ``{"program": …}``, or of every program when empty."""

    def in_time() -> bool:
        return context.get_remaining_time_in_millis() > _MARGIN_MS

    done: Counter[str] = Counter()
    chosen = event.get("program", "")
    for program in [chosen] if chosen else [each.program for each in programs.begun(clock.now())]:
        done += screen(program, clock.now(), in_time)
    logger.info("payees screened", extra=dict(done))
    return dict(done)


def screen(program: str, now: Instant, go_on: Callable[[], bool] = lambda: True) -> Counter[str]:
    """Screen the payees of *program* who are due and were not; return how many, by result."""
    done: Counter[str] = Counter()
    document = programs.current(program, now).document
    against = screening.current(program)
    if against is None or not any(rule.screening for rule in document.payouts):
        return done
    for partner in _waiting(document, against):
        if not go_on():
            break
        done[look(partner, against, now)] += 1
    return done


def look(partner: Partner, against: CurrentList, now: Instant) -> str:
    """Compare one partner with the list and note what it says; return the result.

    A person's word that an entry is somebody else holds for as long as the account does.
    """
    payee, contact = people.payee(partner.person), people.contact(partner.person)
    names = [each.name for each in (payee, contact) if each is not None]
    found = _index(against.file).hits(names)
    before = screening.found(partner.id)
    known = before if before and before.payee_key == partner.payee_key else None
    cleared = known.cleared if known else []
    left = [hit for hit in found if hit.id not in cleared]
    result = "hit" if left else ("cleared" if found else "clear")
    noted = Screened(
        partner=partner.id,
        program=partner.program,
        result=result,
        digest=against.digest,
        payee_key=partner.payee_key,
        at=now,
        hits=(left or found)[:_MOST_HITS],
        cleared=cleared,
        cleared_by=known.cleared_by if known else "",
        reason=known.reason if known and result == "cleared" else "",
    )
    writes = Transaction()
    screening.note(writes, partner, noted, actor="system")
    try:
        writes.commit()
    except StaleError:
        return "changed"  # the next run looks at who they are now
    return result


def _waiting(document: Program, against: CurrentList) -> Iterator[Partner]:
    """Yield the partners who are due by a rule with screening and were not compared yet."""
    seen: set[str] = set()
    units = dict.fromkeys(rule.currency for rule in document.payouts if rule.screening)
    for unit in units:
        due = (each for each in ledger.due_partners(document.id, unit) if "." not in each)
        while chunk := list(islice(due, _CHUNK)):
            for partner in partners.find_partners([p for p in chunk if p not in seen]).values():
                seen.add(partner.id)
                if not (partner.screening and partner.screened_with == against.digest):
                    yield partner


def obstacle(profile: Partner) -> str:
    """Return why screening keeps *profile* from being paid, empty when it does not."""
    if profile.screening == "hit":
        return "screening_hit"
    fresh = profile.screening and screening.is_current(profile.program, profile.screened_with)
    return "" if fresh else "screening_pending"


@lru_cache(maxsize=2)
def _index(file: str) -> Index:
    """Return the list that lies in *file*, which never changes, ready to compare with."""
    content = files.read(file)
    if content is None:
        message = "the screening list is gone"
        raise NotFoundError(message, file=file)
    return Index(sanctions.parse(content.decode()))
