"""Making links: those a partner asks for, and those that carry assets, prompts and pages.

Whatever leads a visitor here is a link of a partner, checked in this one place.
"""

from __future__ import annotations

import msgspec

from introducer import clock, ids, link
from introducer.clock import Instant
from introducer.errors import AlreadyExistsError, InvalidInputError, UncertainError
from introducer.link import Link, Variant
from introducer.partner import Partner
from introducer.program import Program
from introducer.settings import setting
from introducer.tables import links
from introducer.tables.store import Transaction

_CODE_LENGTH = 10
_ATTEMPTS = 10
"""How many codes a use may fall on. Chance makes it two once in 10^15; a few more stand against
somebody who chooses them on purpose."""


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What a link shall be; empty for what is usual.

    Attributes:
        code: A chosen one, else a random one.
        destination: A page of the program's hosts; else its landing page, or the link's own
            hosted page where the program says so.
        path: Path and query of a page beside the landing page, instead of a destination.
        utm: Campaign tags, with the placeholders of :data:`introducer.link.PLACEHOLDERS`.
        fallback: Where it leads while it is suspended.
        expires_at: From when it leads nowhere.
    """

    code: str = ""
    destination: str = ""
    path: str = ""
    campaign: str = ""
    channel: str = ""
    asset: str = ""
    utm: dict[str, str] = {}
    variants: list[Variant] = []
    fallback: str = ""
    expires_at: Instant = ""


def planned(partner: Partner, document: Program, wish: Wish, *, now: Instant) -> Link:
    """Return the link that *partner* wishes for, checked and not stored yet.

    Raises:
        InvalidInputError: The code cannot be chosen, a destination is not the program's, a
            placeholder is unknown, or it would have expired already.
    """
    if wish.code:
        link.check_code(wish.code)
    code = wish.code or ids.new_code()
    made = Link(
        code=code,
        program=partner.program,
        partner=partner.id,
        destination=_destination(document, wish, code),
        created_at=now,
        campaign=wish.campaign,
        channel=wish.channel,
        asset=wish.asset,
        variants=wish.variants,
        fallback=wish.fallback,
        expires_at=wish.expires_at,
        clicks_days=document.intake.clicks_days,
    )
    check(made, document, now)
    return msgspec.structs.replace(made, utm=link.filled(wish.utm, made))


def check(made: Link, document: Program, now: Instant) -> None:
    """Refuse a link that leads anywhere but to the program's hosts, or has expired.

    Raises:
        InvalidInputError: It is so.
    """
    if not link.leads_to_own_page(made):
        link.check_destination(made.destination, document)
    if made.fallback:
        link.check_destination(made.fallback, document, "fallback")
    for place, variant in enumerate(made.variants):
        link.check_destination(variant.destination, document, f"variants[{place}].destination")
    if made.expires_at and made.expires_at <= now:
        raise InvalidInputError("expires_at", "that is over already", code="invalid_time")


def link_for(
    partner: Partner,
    document: Program,
    *,
    channel: str,
    asset: str,
    campaign: str = "",
    now: Instant,
) -> Link:
    """Return the link of *partner* for one use, made and stored if there is none yet.

    The code follows from the use, so two who ask at once get the same link. One that was
    suspended is returned as it is: the next request is no way around that.

    Args:
        partner: Whose link.
        document: The program; the link leads to its landing page.
        channel: How it is shared: ``linkedin``, ``embed`` and the like.
        asset: What carries it.
        campaign: What it belongs to, if anything.
        now: The present instant.

    Raises:
        UncertainError: Every code of the use is taken by others.
    """
    for attempt in range(_ATTEMPTS):
        parts = ("link", partner.program, partner.id, channel, asset, campaign, str(attempt))
        code = ids.derived_id(*parts)[:_CODE_LENGTH]
        wanted = Link(
            code=code,
            program=partner.program,
            partner=partner.id,
            destination=link.usual_destination(document, code),
            created_at=now,
            campaign=campaign,
            channel=channel,
            asset=asset,
            clicks_days=document.intake.clicks_days,
        )
        found = links.find(wanted.code, consistent=True) or _added(wanted, partner)
        if _use(found) == _use(wanted):
            return found
    message = "no code is free for this link"
    raise UncertainError(message)


def url_of(code: str) -> str:
    """Return the address of a link, as it is shared."""
    return f"{setting('CLICK_BASE_URL')}/r/{code}"


def destination_of(made: Link) -> str:
    """Return where a link leads, as a whole address."""
    if link.leads_to_own_page(made):
        return f"{setting('CLICK_BASE_URL')}/p/{made.code}"
    return made.destination


def expiry(field: str, text: str) -> Instant:
    """Return the instant that a caller wrote, an empty one for never.

    Raises:
        InvalidInputError: It is no RFC 3339 time with an offset.
    """
    try:
        return clock.parse(text) if text else ""
    except (ValueError, OverflowError) as failure:
        raise InvalidInputError(
            field, "not an RFC 3339 time with an offset", code="invalid_time"
        ) from failure


def _added(wanted: Link, partner: Partner) -> Link:
    writes = Transaction()
    links.add(writes, wanted, actor=partner.entity)
    try:
        writes.commit()
    except AlreadyExistsError:
        # Made by another request meanwhile, or by this one's own lost write.
        return links.find(wanted.code, consistent=True) or wanted
    return wanted


def _use(made: Link) -> tuple[str, ...]:
    return made.program, made.partner, made.channel, made.asset, made.campaign


def _destination(document: Program, wish: Wish, code: str) -> str:
    if wish.destination and wish.path:
        raise InvalidInputError("path", "send a destination or a path, not both")
    if wish.path:
        return f"https://{link.host_of(document.landing_url)}{wish.path}"
    if wish.variants and not wish.destination:
        return wish.variants[0].destination
    return wish.destination or link.usual_destination(document, code)
