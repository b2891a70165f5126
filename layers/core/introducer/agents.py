"""People, or machines: what a request's headers say about who follows a link.

A person's browser names itself in one of few shapes, and those are recognised first and
cheaply. Whatever has another shape is looked at closely: the words that robots have in
their names, addresses that their makers leave, tools that fetch, and at last whether
anything in it is a browser or a device that a person holds.

What the header fields mean: ``Sec-Purpose`` (Fetch standard), ``Purpose``, ``X-Purpose`` and
``X-Moz`` (older browsers and apps), ``Sec-Fetch-Dest`` (Fetch metadata), ``From`` (RFC 9110).

Standard library only, and no patterns: the click function imports this, and compiling
one pattern costs more than all clicks of a cold start.
"""

from __future__ import annotations

from functools import lru_cache

from introducer import agent_words as words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

Verdict = tuple[str, str]
"""Who it is, and by what that was told: ``("person", "")``, ``("bot", "robot")``."""

PERSON: Verdict = ("person", "")

_AGENT_LIMIT = 1000
_KEPT_VERDICTS = 512
_PURPOSES = ("sec-purpose", "purpose", "x-purpose", "x-moz")
_NAVIGATIONS = frozenset(("", "document", "empty", "iframe", "frame"))
_SPACED = str.maketrans({chr(code): " " for code in range(128) if not chr(code).isalpha()})


def classify(agent: str, method: str = "GET", headers: Mapping[str, str] | None = None) -> Verdict:
    """Return who asks, and by what that was told.

    Args:
        agent: The User-Agent header, empty when there was none.
        method: The HTTP method.
        headers: All headers, names in lower case; without them the agent alone is judged.

    Returns:
        ``person``, ``bot``, ``preview`` (a picture of the link is made for a message),
        ``prefetch`` (a browser asks for what its user may open next) or ``head``; and the
        reason, empty for a person.
    """
    if method == "HEAD":
        return ("head", "method")
    if headers is None:
        return of_agent(agent[:_AGENT_LIMIT])
    for name in _PURPOSES:
        if "pre" in headers.get(name, "").lower():  # prefetch, prerender, preview
            return ("prefetch", "purpose")
    verdict = of_agent(agent[:_AGENT_LIMIT])
    return _of_headers(headers) if verdict is PERSON else verdict


def _of_headers(headers: Mapping[str, str]) -> Verdict:
    """Judge what names itself a browser by what it sends besides.

    What it does not send proves nothing: networks for delivery in front of us drop headers.
    """
    if headers.get("sec-fetch-dest", "") not in _NAVIGATIONS:
        # A page that asks for a link as its picture or script: nobody saw it.
        return ("prefetch", "embedded")
    if "from" in headers:
        return ("bot", "from")
    if "headless" in headers.get("sec-ch-ua", "").lower():
        return ("bot", "headless")
    return PERSON


def judge(agent: str) -> Verdict:
    """Return who names themselves *agent*, of at most 1,000 characters."""
    return PERSON if _is_ordinary(agent) else _look_closely(agent.strip(" '\"").lower())


of_agent = lru_cache(_KEPT_VERDICTS)(judge)
"""The same, remembered: the few agents of the moment make most clicks."""


def _is_ordinary(agent: str) -> bool:
    """Tell whether this is a platform and well-known products, and nothing besides."""
    if not agent.startswith(words.BEGINNINGS):
        return False
    platform, closed, rest = agent.partition(") ")
    if not closed or not words.PRODUCTS.issuperset(
        [part.partition("/")[0] for part in rest.split()]
    ):
        return False
    platform = platform.lower()
    return not any([odd in platform for odd in words.ODD]) and (  # noqa: C419  (a list is quicker)
        "AppleWebKit/" in rest or "Gecko/" in rest
    )


def _look_closely(agent: str) -> Verdict:
    if not agent:
        return ("bot", "none")
    mozilla = agent.startswith(("mozilla/", "opera/"))
    if _has(agent, words.PREVIEWS) or (not mozilla and agent.startswith(words.MESSENGERS)):
        return ("preview", "preview")
    text = _without_names(agent)
    if _has(text, words.HEADLESS):
        return ("bot", "headless")
    if _is_robot(text):
        return ("bot", "robot")
    if _has(text, words.TOOLS) and not text.startswith(words.TEXT_BROWSERS):
        return ("bot", "tool")
    if _has_address(text):
        return ("bot", "address")
    if text.startswith(words.OFFICE) and (mozilla or not _has(text, words.DEVICES)):
        # Office asks for what its user clicks, then lets the browser ask again.
        return ("prefetch", "office")
    return PERSON if _is_device(text, mozilla=mozilla) else ("bot", "shape")


def _has(text: str, parts: tuple[str, ...]) -> bool:
    return any(part in text for part in parts)


def _without_names(agent: str) -> str:
    """Leave out what may say anything: makers sell phones called "M bot 60" and "Spider 8"."""
    begin = agent.find("android ")
    model = agent.find(";", begin)
    if 0 < begin < model:
        ends = [end for end in (agent.find(" build/", model), agent.find(")", model)) if end > 0]
        name = agent[model : min(ends, default=model)]
        if "/" not in name and "+" not in name and "." not in name:
            agent = agent.replace(name, "", 1)
    for name in words.NOT_ROBOTS:
        agent = agent.replace(name, "")
    return agent


def _is_robot(text: str) -> bool:
    found = text.translate(_SPACED).split()
    return (
        not words.ROBOTS.isdisjoint(found)
        or any(
            word.endswith(words.ROBOT_ENDINGS) or word.startswith(words.ROBOT_BEGINNINGS)
            for word in found
        )
        or _has(text, words.ROBOT_PARTS)
    )


def _has_address(text: str) -> bool:
    """Tell whether a page or a mailbox is named: whoever runs a robot wants to be asked."""
    if "http:" in text or "https:" in text:
        return "bsalsa.com" not in text  # a component of old Windows programs that show pages
    if "www." in text or "mailto:" in text or "[at]" in text or " at " in text:
        return True
    for part in text.replace(";", " ").replace(",", " ").replace("(", " ").split():
        name = part.strip("+<>()[]'\"").partition("/")[0]
        if "@" in name and "." in name.rpartition("@")[2].strip("0123456789."):
            return True
        host, _, ending = name.rpartition(".")
        if host and ending in words.DOMAINS and "." not in host:
            return True
    return False


def _is_device(text: str, *, mozilla: bool) -> bool:
    """Tell whether a browser or a device for people is in it."""
    if not mozilla:
        return _has(text, words.DEVICES)
    _, said, name = text.partition("(compatible; ")
    if said and not name.startswith(words.COMPATIBLE):
        return False
    return _has(text, words.PLATFORMS)
