"""Where a click lands: the link's destination with the campaign tags of this one click.

Precedence of a tag: the click's own query, then the destination's own, then the link's
defaults. Only campaign tags and the click ids of paid traffic pass, each decoded and
encoded anew, and they are only ever put behind the destination's ``?``: nothing a
visitor sends can reach scheme, host, path or fragment, or start another header line.

Standard library only: the click function imports this.
"""

from __future__ import annotations

from urllib.parse import quote, unquote_plus

from introducer.clickid import PARAMETER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

OWN_PAGE = "../p/"
"""How the destination of a link begins that leads to its own hosted page: the code follows.

Relative to ``/r/{code}``, so that it holds for every domain and behind every prefix.
"""

Pairs = list[tuple[str, str]]
"""Query parameters, decoded, in order, repeats included."""

PAID = frozenset(
    (
        "gclid",
        "gbraid",
        "wbraid",
        "gad_source",
        "gad_campaignid",
        "fbclid",
        "fb_action_ids",
        "twclid",
        "msclkid",
        "li_fat_id",
        "rdclid",
        "ttclid",
    )
)
"""Names under which ad networks pass the click of theirs that led here."""

_QUERY_LIMIT = 2048
_PAIRS_LIMIT = 30
_UTM_VALUE_LIMIT = 100
_PAID_VALUE_LIMIT = 256
_LOCATION_LIMIT = 4096
_UTM_LENGTHS = range(5, 25)
_SCHEME = "https://"
_AUTHORITY = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:")
_CODE = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_-")
_UNSAFE = frozenset(' \\"<>^`{|}')
_SHORT_NAMES = {
    "utm_source": "s",
    "utm_medium": "m",
    "utm_campaign": "c",
    "utm_term": "t",
    "utm_content": "n",
    "utm_id": "i",
}
_SUMMARY_VALUE_LIMIT = 40


class Landing:
    """A destination taken apart once, so that each click only joins strings."""

    __slots__ = ("_defaults", "_fragment", "_page", "_query")

    def __init__(self, destination: str, defaults: Mapping[str, str]) -> None:
        """Take *destination* apart.

        Args:
            destination: An absolute ``https`` URL in ASCII, as the link stores it, or its
                own page.
            defaults: Campaign tags of the link, by their full name (``utm_source``).

        Raises:
            ValueError: The destination is not such a URL, or carries credentials.
        """
        rest, mark, fragment = destination.partition("#")
        self._page, _, query = rest.partition("?")
        authority = self._page.removeprefix(_SCHEME).partition("/")[0]
        if not _is_own(destination) and (
            not self._page.startswith(_SCHEME)
            or not authority
            or not _AUTHORITY.issuperset(authority)
            or not (destination.isascii() and destination.isprintable())
            or not _UNSAFE.isdisjoint(destination)
        ):
            message = "a destination is an absolute https URL in ASCII, without credentials"
            raise ValueError(message)
        self._fragment = mark + fragment
        segments = [(_name(segment), segment) for segment in query.split("&") if segment]
        self._query = [(name, segment) for name, segment in segments if name != PARAMETER]
        own = {name for name, _ in self._query}
        self._defaults = [(name, value) for name, value in defaults.items() if name not in own]

    def location(self, incoming: Pairs, click_id: str = "") -> str:
        """Return the URL to send the visitor to: ASCII, at most about 4,000 characters.

        Args:
            incoming: What :func:`passed` kept of the click's query.
            click_id: Added as ``introducer_click`` unless empty.
        """
        url = self._join(incoming, click_id)
        return url if len(url) <= _LOCATION_LIMIT else self._join([], click_id)

    def tags(self, incoming: Pairs) -> dict[str, str]:
        """Return the campaign tags in force for this click, the first of each name."""
        own = [(name, unquote_plus(segment.partition("=")[2])) for name, segment in self._query]
        in_force: dict[str, str] = {}
        for name, value in (*incoming, *own, *self._defaults):
            in_force.setdefault(name, value)
        return in_force

    def _join(self, incoming: Pairs, click_id: str) -> str:
        if not incoming:
            segments = [segment for _, segment in self._query]
            segments += [f"{name}={quote(value, safe='')}" for name, value in self._defaults]
        else:
            names = {name for name, _ in incoming}
            segments = [segment for name, segment in self._query if name not in names]
            segments += [f"{name}={quote(value, safe='')}" for name, value in incoming]
            segments += [
                f"{name}={quote(value, safe='')}"
                for name, value in self._defaults
                if name not in names
            ]
        if click_id:
            segments.append(f"{PARAMETER}={click_id}")
        query = "?" + "&".join(segments) if segments else ""
        return f"{self._page}{query}{self._fragment}"


def passed(raw_query: str) -> Pairs:
    """Return what of a click's query goes on to the landing page.

    Kept are ``utm_*`` and :data:`PAID`, in order, repeats included. A query longer than
    2,048 characters is ignored whole. Left out is a value that is empty or too long (100
    characters, 256 for an ad network's), holds control characters, or an ``@``: mail tools
    put addresses into campaign tags, and those shall go no further.
    """
    if not raw_query or len(raw_query) > _QUERY_LIMIT:
        return []
    pairs: Pairs = []
    for segment in raw_query.split("&"):
        name, _, raw = segment.partition("=")
        if _is_utm(name):
            limit = _UTM_VALUE_LIMIT
        elif name in PAID:
            limit = _PAID_VALUE_LIMIT
        else:
            continue
        value = unquote_plus(raw)
        if 0 < len(value) <= limit and value.isprintable() and "@" not in value:
            pairs.append((name, value))
        if len(pairs) == _PAIRS_LIMIT:
            break
    return pairs


def summary(tags: Iterable[tuple[str, str]], limit: int) -> str:
    """Return the tags a click's record keeps, at most *limit* ASCII characters.

    ``s=news&m=email&c=spring&p=gclid``: source, medium, campaign, term, content, id, and
    the name of the ad network's parameter, whose value would be somebody's identifier.
    """
    text = ""
    for name, value in tags:
        short = _SHORT_NAMES.get(name)
        if short:
            part = f"{short}={quote(value[:_SUMMARY_VALUE_LIMIT], safe='')}"
        elif name in PAID:
            part = f"p={name}"
        else:
            continue
        longer = f"{text}&{part}" if text else part
        if len(longer) <= limit:
            text = longer
    return text


def _is_own(destination: str) -> bool:
    code = destination.removeprefix(OWN_PAGE)
    return destination != code != "" and _CODE.issuperset(code)


def _is_utm(name: str) -> bool:
    rest = name[4:].replace("_", "a")
    return (
        len(name) in _UTM_LENGTHS
        and name.startswith("utm_")
        and rest.isascii()
        and rest.isalpha()
        and rest.islower()
    )


def _name(segment: str) -> str:
    return unquote_plus(segment.partition("=")[0])
