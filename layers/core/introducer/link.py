"""Links: short codes of partners that lead to checked destinations."""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from introducer import card, clickid
from introducer.clock import Instant
from introducer.errors import InvalidInputError, TransitionError
from introducer.event import Event
from introducer.landing import OWN_PAGE
from introducer.program import Program

CLICKS_DAYS = 90
"""How long clicks are kept unless the program says otherwise."""
PLACEHOLDERS = ("partner", "campaign", "channel", "code", "asset")
"""What a campaign tag may be made of: ``{code}`` and the like."""
RESERVED = frozenset(
    "about account accounts admin administrator api app apps asset assets auth blog callback card "
    "cards click clicks code codes contact default delete docs edit embed error example faq "
    "favicon form forms health help home hooks image images imprint index info introducer invite "
    "legal link links login logout mail manage manager null oauth official page pages partner "
    "partners password pay payment payout payouts portal privacy program programs public qr "
    "referral referrals register rep robots root script search security settings sign-in sign-up "
    "signin signup sitemap staff static status submit support system terms test thanks true false "
    "undefined unsubscribe user users webhook webhooks well-known www".split()
)
"""Codes nobody may choose: they would read like pages of the company or of ours."""

_HTTPS = "https://"
_REFUSED = frozenset('\\"<>^`{|}')
"""Characters no URL may hold, which browsers nevertheless take and mend each in its way."""
_PLACEHOLDER = re.compile(r"{([^{}]*)}")
_TAG_LIMIT = 100


class Variant(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One of several destinations of a link; ``weight`` is its part of the visitors."""

    destination: str
    weight: int = 1


class Link(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A partner's own link: a short code that leads to a checked destination."""

    code: str
    program: str
    partner: str
    destination: str
    created_at: Instant
    status: str = "active"
    """``active`` or ``suspended``."""
    reason: str = ""
    """Why the program suspended it, as a code; empty when the partner did or nobody."""
    fallback: str = ""
    """Where it leads while it is suspended; empty for nowhere."""
    campaign: str = ""
    channel: str = ""
    """How the partner shares it: a key such as ``linkedin``, ``card`` or ``embed``."""
    asset: str = ""
    """The piece of the assets library, or the placement, that carries it."""
    batch: str = ""
    """The batch of print cards it is one of."""
    expires_at: Instant = ""
    """From when it leads nowhere; empty for never."""
    utm: dict[str, str] = {}
    """Campaign tags, filled in."""
    variants: list[Variant] = []
    """Destinations to try against each other; empty for the one destination."""
    clicks_days: int = CLICKS_DAYS
    """How long its clicks are kept."""
    uses: int = 0
    """How often the partner took the text of :attr:`asset` with it."""
    version: int = 1

    @property
    def entity(self) -> str:
        """Return the name its events carry."""
        return f"LINK#{self.code}"


def created(link: Link, *, actor: str) -> Event:
    """Return the first event of a link."""
    names = ("partner", "channel", "asset", "batch")
    data = {name: getattr(link, name) for name in names}
    return Event(
        type="LinkCreated",
        entity=link.entity,
        seq=link.version,
        program=link.program,
        at=link.created_at,
        actor=actor,
        data={name: value for name, value in data.items() if value},
    )


def changed(before: Link, after: Link, *, now: Instant, actor: str) -> tuple[Link, Event]:
    """Return the link as *after* says, one version on, and the event that names what is new."""
    names = [
        each for each in Link.__struct_fields__ if getattr(before, each) != getattr(after, each)
    ]
    data = {"partner": before.partner, "changed": " ".join(names), "status": after.status}
    if after.reason:
        data["reason"] = after.reason
    return _next(after, "LinkChanged", data, now, actor)


def check_own(link: Link) -> None:
    """Refuse a change by the partner of a link that the program has suspended.

    Raises:
        TransitionError: It has; ending that is the program's affair.
    """
    if link.reason:
        message = "the program has suspended this link"
        raise TransitionError(message)


def suspended(link: Link, reason: str) -> Link:
    """Return *link* as the program suspends it, or with an empty *reason* lets it go again."""
    status = "suspended" if reason else "active"
    return msgspec.structs.replace(link, status=status, reason=reason)


def used(link: Link, version: int, *, now: Instant, actor: str) -> tuple[Link, Event]:
    """Return *link* after its asset was taken once more, in *version*, and the event."""
    after = msgspec.structs.replace(link, uses=link.uses + 1)
    data: dict[str, str | int] = {
        "partner": link.partner,
        "asset": link.asset,
        "asset_version": version,
        "channel": link.channel,
    }
    return _next(after, "AssetUsed", data, now, actor)


def usable(link: Link, now: Instant) -> bool:
    """Return whether *link* leads somewhere at *now*."""
    return link.status == "active" and not (link.expires_at and link.expires_at <= now)


def filled(tags: Mapping[str, str], link: Link) -> dict[str, str]:
    """Return campaign *tags* with placeholders filled in, without those that come out empty.

    Raises:
        InvalidInputError: A placeholder is unknown, or a tag becomes longer than tags may be.
    """
    return {name: value for name in tags if (value := _tag(name, tags[name], link))}


def check_code(code: str) -> None:
    """Refuse a code that a partner chose and that cannot be one.

    Raises:
        InvalidInputError: It has another shape than codes have, is reserved, or could be read
            as the code of a print card.
    """
    if not clickid.is_code(code):
        message = "3 to 22 of a-z, 0-9, hyphen and underscore, not led by a sign"
    elif code in RESERVED or code.replace("_", "-") in RESERVED:
        message = "this word is reserved"
    elif card.looks_like(code):
        message = "nine letters and digits led by a digit are how print cards look"
    else:
        return
    raise InvalidInputError("code", message, code="code_not_allowed")


def usual_destination(document: Program, code: str) -> str:
    """Return where the link *code* leads when nobody says where.

    That is the link's own hosted page or the program's landing page, as the program says.
    """
    return f"{OWN_PAGE}{code}" if document.intake.page.hosted else document.landing_url


def leads_to_own_page(link: Link) -> bool:
    """Return whether *link* leads to its own hosted page, which needs no further check."""
    return link.destination == f"{OWN_PAGE}{link.code}"


def check_destination(url: str, document: Program, field: str = "destination") -> None:
    """Refuse a URL that leads anywhere but to a host of the program.

    No parser is asked: what stands between ``https://`` and the first ``/``, ``?`` or
    ``#`` must be, letter for letter, one of the hosts. So there is no room for a user
    name, a port, a backslash or another script's letters, on which parsers differ.

    Raises:
        InvalidInputError: It does not begin with such a host, or holds a character that
            no URL may hold.
    """
    rest = url.removeprefix(_HTTPS)
    plain = url.isascii() and url.isprintable() and " " not in url and _REFUSED.isdisjoint(url)
    if not plain or rest == url or host_of(url).lower() not in document.destinations:
        raise InvalidInputError(
            field, "links lead to the hosts of the program only", code="destination_not_allowed"
        )


def host_of(url: str) -> str:
    """Return what stands between ``https://`` and the first ``/``, ``?`` or ``#`` of *url*."""
    rest = url.removeprefix(_HTTPS)
    return rest.replace("?", "/").replace("#", "/").partition("/")[0]


def _tag(name: str, template: str, link: Link) -> str:
    def fill(found: re.Match[str]) -> str:
        if found[1] not in PLACEHOLDERS:
            raise InvalidInputError(
                f"utm.{name}",
                f"a tag may hold {', '.join(f'{{{each}}}' for each in PLACEHOLDERS)}",
                code="unknown_placeholder",
            )
        return str(getattr(link, found[1]))

    value = _PLACEHOLDER.sub(fill, template)
    if len(value) > _TAG_LIMIT:
        raise InvalidInputError(f"utm.{name}", f"longer than {_TAG_LIMIT} when filled in")
    return value


def _next(
    after: Link, kind: str, data: Mapping[str, str | int], now: Instant, actor: str
) -> tuple[Link, Event]:
    after = msgspec.structs.replace(after, version=after.version + 1)
    event = Event(
        type=kind,
        entity=after.entity,
        seq=after.version,
        program=after.program,
        at=now,
        actor=actor,
        data={**data},
    )
    return after, event
