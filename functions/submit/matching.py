"""Which referral a message is about: the first of its keys that is known decides.

Our id, the sender's id, the e-mail address, the click. The first three name one customer; a
click names a visit, which colleagues behind one address may share, so it comes after them and
decides only where it led to a single referral. A code names a partner and never a referral.
A referral that turned out to be a duplicate stands for the one it is a duplicate of.
"""

from __future__ import annotations

import msgspec

from introducer.conversion import AMBIGUOUS, UNMATCHED
from introducer.errors import AlreadyExistsError, InvalidInputError, NotFoundError
from introducer.tables import claims, referrals, waiting
from introducer.tables.referrals import Detail
from submit.messages import LeadCreated
from submit.told import Told

_LONGEST_CHAIN = 10


class Match(msgspec.Struct, frozen=True, kw_only=True):
    """What the keys of a message lead to."""

    detail: Detail | None
    """The referral that takes it, with everything under its key; None without one."""
    by: str = ""
    """The key that decided: ``referral``, ``external_id``, ``email`` or ``click``; ``message``
    when the same message made the referral before."""
    against: tuple[str, ...] = ()
    """Weaker keys that lead elsewhere."""
    ties: bool = False
    """Whether the sender's id is not yet tied to the referral."""
    reason: str = UNMATCHED
    """Why there is none."""


def find(told: Told) -> Match:
    """Return what the message is about.

    Raises:
        InvalidInputError: It names nothing to go by, or the address is none.
        NotFoundError: The program has no referral of the id it names.
        AlreadyExistsError: Our id and the sender's id name two referrals.
    """
    return _Search(told).match()


class _Search:
    def __init__(self, told: Told) -> None:
        self._told = told
        self._seen: dict[str, Detail] = {}
        self._is_tied = False

    def match(self) -> Match:
        told, about = self._told, self._told.about
        mailbox = told.mailbox()
        if not (about.referral or about.external_id or mailbox or about.click or about.code):
            raise InvalidInputError("data.referral", "say which referral", code="missing_field")
        named = self._named(about.referral) if about.referral else ""
        tied = self._tied()
        if named and tied and named != tied:
            raise AlreadyExistsError("this external id is tied to another referral")
        # Who signs up under an address of their own is not the other lead of that click.
        signs_up = isinstance(told.message, LeadCreated) and mailbox
        clicked = [] if signs_up else self._clicked()
        found = {
            "referral": named,
            "external_id": tied,
            "email": self._by_mail(mailbox) if mailbox else "",
            "click": clicked[0] if len(clicked) == 1 else "",
        }
        by = next((key for key, referral in found.items() if referral), "")
        if not by:
            return Match(detail=None, reason=AMBIGUOUS if clicked else UNMATCHED)
        against = [key for key in ("email",) if found[key] not in {"", found[by]}]
        if clicked and found[by] not in clicked:
            against.append("click")
        return Match(
            detail=self._seen[found[by]],
            by=by,
            against=tuple(against),
            ties=about.external_id is not None and not self._is_tied,
        )

    def _named(self, referral: str) -> str:
        found = self._living(referral)
        if not found:
            raise NotFoundError("no such referral")
        return found

    def _tied(self) -> str:
        tie = self._told.tie
        if tie is None:
            return ""
        held = claims.find(tie.scope, "external", tie.external_id, now=self._told.now)
        self._is_tied = held is not None
        if held is None:
            # Nobody tied it, but the lead may have come in under it.
            kind, _, value = tie.key.partition("#")
            held = claims.find(self._told.program, f"lead_{kind}", value, now=self._told.now)
        return self._living(held.target) if held else ""

    def _by_mail(self, mailbox: str) -> str:
        held = claims.find(self._told.program, "lead_email", mailbox, now=self._told.now)
        return self._living(held.target) if held else ""

    def _clicked(self) -> list[str]:
        click = self._told.about.click
        found = waiting.referrals_of_click(self._told.program, click) if click else []
        return list(dict.fromkeys(filter(None, map(self._living, found))))

    def _living(self, referral: str) -> str:
        """Return the referral that *referral* stands for, empty when the program has none."""
        for _ in range(_LONGEST_CHAIN):
            if referral not in self._seen:
                try:
                    self._seen[referral] = referrals.detail(referral)
                except NotFoundError:
                    return ""
            state = self._seen[referral].referral
            if state.program != self._told.program:
                return ""
            if state.status != "duplicate" or not state.duplicate_of:
                return referral
            referral = state.duplicate_of
        return ""
