"""What led a lead here, as touches: proven clicks, typed codes, partners named beside others.

Any of them suffices alone. What proves nothing is left out; what was typed and is wrong is
told to whoever typed it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from introducer import attribution, card, clickid
from introducer.clock import Instant
from introducer.errors import InvalidInputError
from introducer.link import Link, usable
from introducer.referral import Touch
from introducer.tables import links, partners, programs
from submit import inputs


class Codes:
    """The links of one program, each looked up once in a request."""

    def __init__(self, program: str, now: Instant) -> None:
        self.program = program
        self._now = now
        self._known: dict[str, Link | None] = {}

    def find(self, code: str) -> Link | None:
        """Return the link of this program with *code* if it leads somewhere now, or None."""
        if code not in self._known:
            link = usable_link(code, self._now)
            self._known[code] = link if link and link.program == self.program else None
        return self._known[code]


def usable_link(code: str, now: Instant) -> Link | None:
    """Return the link with *code*, of whatever program, if it leads somewhere *now*."""
    link = links.find(code) if inputs.PATH.fullmatch(code) else None
    return link if link and usable(link, now) else None


def clicks(
    sent: Sequence[str], headers: Mapping[str, str], codes: Codes, now: Instant
) -> list[Touch]:
    """Return a touch for each genuine click among those *sent* and in the cookie, oldest first."""
    given = list(dict.fromkeys([*cookie_clicks(headers.get("cookie", "")), *sent]))
    if not given:
        return []
    keys = clickid.keys_of(programs.click_salts(), now)
    touches = []
    for text in given:
        said = clickid.read(text, keys)
        link = codes.find(said.code) if said else None
        if said and link:
            touches.append(
                Touch(id=text, kind="click", at=said.at, link=link.code, partner=link.partner)
            )
    return sorted(touches, key=lambda touch: (touch.at, touch.id))


def typed(text: str, codes: Codes, now: Instant) -> list[Touch]:
    """Return the touch of a typed code, none when nothing was typed.

    The code of a print card is known by its shape, and by its check character when it was
    mistyped: that is told without a look-up.

    Raises:
        InvalidInputError: It is no code of this program, or a card's that was mistyped.
    """
    code = as_stored(text)
    if not code:
        return []
    if card.looks_like(code) and not card.is_right(code):
        raise _mistyped()
    link = codes.find(code)
    if link is None and card.might_be(code) and not card.is_right(code):
        raise _mistyped()
    if link is None:
        raise InvalidInputError("code", "no such code", code="unknown_code")
    return [
        Touch(id=f"code-{link.code}", kind="code", at=now, link=link.code, partner=link.partner)
    ]


def as_stored(text: str) -> str:
    """Return a code as somebody wrote it in the way codes are stored; empty for none."""
    code = "".join(text.split()).lower()
    return card.read(code) if card.looks_like(code) else code


def co_referrers(
    named: Sequence[str], touches: Sequence[Touch], codes: Codes, now: Instant
) -> list[Touch]:
    """Return a touch for each partner *named* beside those of *touches*, in their order.

    Args:
        named: Link codes or partner ids.
        touches: What else led the lead here.
        codes: The program's links.
        now: The present instant.

    Raises:
        InvalidInputError: One of them is no partner of this program.
    """
    seen = {touch.partner for touch in touches}
    found = []
    for place, text in enumerate(named):
        link = codes.find(as_stored(text))
        partner = link.partner if link else _partner_id(text.strip(), codes.program)
        if not partner:
            field = f"co_referrers[{place}]"
            raise InvalidInputError(field, "no such partner", code="unknown_co_referrer")
        if partner in seen:
            continue
        seen.add(partner)
        found.append(
            Touch(
                # Sorts after a typed code, and by place: that is the order of fixed shares.
                id=f"named-{place:02}-{partner}",
                kind="code",
                at=now,
                link=link.code if link else "",
                partner=partner,
                data={attribution.ROLE: attribution.CO_REFERRER},
            )
        )
    return found


def cookie_clicks(header: str) -> list[str]:
    """Return the click ids in a Cookie header, oldest first."""
    for part in header.split(";"):
        name, _, value = part.strip().partition("=")
        if name == clickid.COOKIE:
            return clickid.split_cookie(value)
    return []


def _mistyped() -> InvalidInputError:
    message = "a character of this code is wrong, or two changed places"
    return InvalidInputError("code", message, code="mistyped_code")


def _partner_id(text: str, program: str) -> str:
    found = partners.find_partner(text) if inputs.PATH.fullmatch(text) else None
    return found.id if found and found.program == program and found.status == "active" else ""
