"""One row: read, acted on, and said what came of it. A row's fault is never the file's.

Every kind of file has its own acts; what they share is here. An act may be repeated at any
time: it looks for what it would make before it makes it, and notes its row in the transaction
of its effect, so that a row repeated after a crash tells what it told the first time.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from introducer import clock, identity, keyring, streams
from introducer.clock import Instant
from introducer.errors import (
    AlreadyExistsError,
    ContentionError,
    IntroducerError,
    InvalidInputError,
    LedgerError,
    SeveralFaultsError,
    StaleError,
    UncertainError,
)
from introducer.imports import Import, OutcomeName
from introducer.partner import Partner
from introducer.program import ProgramVersion
from introducer.tables import claims, imports, partners
from introducer.tables.claims import Claim
from introducer.tables.store import Transaction
from submit import inputs, invite, problem
from submit.imports import words
from submit.imports.sheet import Columns, Row
from submit.inputs import Input
from submit.log import logger
from submit.problem import RequestError
from submit.trail import Codes

EXTERNAL = "partner_external"
"""The kind of claim under which a partner's id in the system they came from is kept."""
_ATTEMPTS = 5
_AGAIN = (AlreadyExistsError, ContentionError, StaleError, UncertainError)
_NOT_THE_ROWS_FAULT = (ContentionError, LedgerError, UncertainError)


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a row: the thing it made or found, or why there is none."""

    name: OutcomeName
    id: str = ""
    code: str = ""
    message: str = ""
    field: str = ""


class Context:
    """What all rows of a file share: job, rules, and what was looked up before."""

    def __init__(self, job: Import, version: ProgramVersion) -> None:
        self.job = job
        self.version = version
        self.codes = Codes(version.program, clock.now())
        self._partners: dict[str, Partner] = {}

    @property
    def program(self) -> str:
        """Return the program's id."""
        return self.version.program

    @property
    def now(self) -> Instant:
        """Return the present instant: a file takes minutes."""
        return clock.now()

    def commit(
        self, writes: Transaction, row: Row, target: str, name: OutcomeName = "created"
    ) -> Outcome:
        """Commit a row's effect with the note of it, and return what came of the row.

        Raises:
            AlreadyExistsError: The row, or another, had this effect meanwhile.
        """
        imports.note_row(writes, self.job, row.number, target, name, now=self.now)
        writes.commit()
        return Outcome(name=name, id=target)

    def partner(self, text: str, field: str = "partner") -> Partner:
        """Return the partner of the program with this address, our id, or their id elsewhere.

        Raises:
            InvalidInputError: ``unknown_partner``, or ``partner_not_verified`` where nobody has
                shown that the address is theirs.
        """
        if text not in self._partners:
            found = self._find(text)
            if found is None or found.program != self.program:
                raise InvalidInputError(
                    field, "there is no such partner in the program", code="unknown_partner"
                )
            if "@" in text:
                invite.check_mailbox(found, field)
            self._partners[text] = found
        return self._partners[text]

    def of_external(self, external_id: str) -> Partner | None:
        """Return the partner who has this id in the system they came from, or None."""
        claim = claims.find(self.program, EXTERNAL, external_id, now=self.now)
        return partners.find_partner(claim.target) if claim else None

    def external_claim(self, external_id: str, partner: Partner) -> Claim:
        """Return the claim that ties an id elsewhere to its partner."""
        return Claim(scope=self.program, kind=EXTERNAL, value=external_id, target=partner.id)

    def _find(self, text: str) -> Partner | None:
        if "@" in text:
            key = identity.email_key(text, keyring.secret(keyring.IDENTITY))
            return partners.of_mailbox(self.program, key, now=self.now)
        if not inputs.PATH.fullmatch(text):
            return None
        return self.of_external(text) or partners.find_partner(text)


Act = Callable[[Context, Row, Any], Outcome]


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of file: its columns, what a row of it is, and what is done with one."""

    columns: Columns
    shape: type[Input]
    act: Act


class RowFailedError(IntroducerError):
    """A row broke something of ours, each time; it was not taken."""


def take(context: Context, kind: Kind, row: Row) -> Outcome:
    """Do what a row says, and return what came of it.

    Raises:
        ContentionError: The stores are busy, or do not answer (UncertainError): the row is to
            be taken later.
        LedgerError: The books are broken.
    """
    if row.code:
        return _refused(row.code, row.message, row.field)
    try:
        outcome = _act(context, kind, row, read(context, kind, row))
    except RequestError as failure:
        return _misread(failure)
    except InvalidInputError as failure:
        return _refused(failure.code, failure.message, failure.field)
    except SeveralFaultsError as failure:
        first = failure.faults[0]
        return _refused(first.code, first.message, first.field)
    except RowFailedError:
        return Outcome(
            name="failed", code="internal_error", message="Something broke on our side. Try again."
        )
    except _NOT_THE_ROWS_FAULT:
        raise
    except IntroducerError as failure:
        return _refused(failure.code, failure.message)
    if outcome.name != "known":
        return outcome
    before = imports.row_effect(context.job, row.number, now=context.now)
    return Outcome(name=before[1], id=before[0], **_why(before[1])) if before else outcome


def duplicate(target: str) -> Outcome:
    """Return what is told of a lead that somebody referred before."""
    return Outcome(name="duplicate", id=target, **_why("duplicate"))


def known(target: str) -> Outcome:
    """Return what is told of something that was there already, as the row says."""
    return Outcome(name="known", id=target)


def moment(field: str, text: str, now: Instant) -> Instant:
    """Return a time from a cell: RFC 3339, or a day alone, which begins at midnight UTC.

    Raises:
        InvalidInputError: ``invalid_time``; it is neither, or lies in the future.
    """
    whole = f"{text}T00:00:00Z" if words.DAY.fullmatch(text) else text
    return inputs.instant(field, whole, now)


def _act(context: Context, kind: Kind, row: Row, said: Input) -> Outcome:
    for attempt in range(_ATTEMPTS):
        last = attempt == _ATTEMPTS - 1
        try:
            return kind.act(context, row, said)
        except IntroducerError as failure:
            if last or not isinstance(failure, _AGAIN):
                raise
        except Exception as failure:
            busy = problem.translate(failure)
            if last and isinstance(busy, IntroducerError):
                raise busy from failure
            if last:
                # Never what the row says: class and place of the fault.
                reason, job = streams.reason(failure), context.job.id
                logger().error("a row broke", import_id=job, row=row.number, reason=reason)
                message = "a row broke"
                raise RowFailedError(message) from failure
        time.sleep(random.uniform(0, 0.02 * 2**attempt))  # noqa: S311  (jitter)
    raise AssertionError


def read(context: Context, kind: Kind, row: Row) -> Input:
    """Return a row in the shape of its kind.

    Raises:
        RequestError: It is not of that shape.
    """
    usual = {
        name: value for name, value in context.job.defaults.items() if name in kind.columns.known
    }
    return inputs.from_plain(_grouped(usual | row.cells, kind.columns.families), kind.shape)


def _grouped(cells: Mapping[str, str], families: tuple[str, ...]) -> dict[str, object]:
    """Return cells with those of a family, ``answers.budget``, in a dictionary of its name."""
    plain: dict[str, object] = {}
    for name, value in cells.items():
        family = next((each for each in families if name.startswith(each)), "")
        if family:
            inner = plain.setdefault(family[:-1], {})
            if isinstance(inner, dict):
                inner[name.removeprefix(family)] = value
        else:
            plain[name] = words.folded(name, value)
    return plain


def _misread(failure: RequestError) -> Outcome:
    field = failure.faults[0].field if failure.faults else ""
    field = field.partition("[")[0]
    if failure.code == "missing_field":
        return _refused("missing_value", "this cell must not be empty", field)
    return _refused("invalid_value", words.wanted(field), field)


def _refused(code: str, message: str, field: str = "") -> Outcome:
    return Outcome(name="refused", code=code, message=words.sentence(message), field=field)


def _why(name: OutcomeName) -> dict[str, str]:
    if name != "duplicate":
        return {}
    return {
        "code": "referred_before",
        "message": "This lead was referred before; the earlier referral counts.",
    }
