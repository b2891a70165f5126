"""Invitations nobody took up: tell the invited again on the program's days. On a schedule.

Acts on the partner as they stand and under their version: a second run, two at once, or
somebody who enrols at the last moment find nothing left to do, or win.
"""

from __future__ import annotations

from aws_lambda_powertools import Logger

from introducer import invitation
from introducer.clock import Instant
from introducer.errors import IntroducerError, StaleError
from introducer.partner import Partner
from introducer.tables import partners, programs
from introducer.tables.store import Transaction

logger = Logger()


def remind(now: Instant) -> int:
    """Remind everybody whose day has come; return how many.

    Raises:
        IntroducerError: One of them could not be; the others were nevertheless.
    """
    count = 0
    failures: list[IntroducerError] = []
    for before in partners.to_remind(now):
        try:
            count += _remind(before, now)
        except IntroducerError as failure:
            logger.exception("partner could not be reminded", extra={"partner": before.id})
            failures.append(failure)
    if failures:
        raise failures[0]
    return count


def _remind(before: Partner, now: Instant) -> bool:
    document = programs.current(before.program, now).document
    after, event = invitation.reminded(before, document, now=now, actor="system")
    writes = Transaction()
    partners.save(writes, before, after, event)
    try:
        writes.commit()
    except StaleError:
        return False  # they enrolled this moment, or another run was faster
    return True
