"""How well people and bots are told apart: ``make bench NAME=bots``.

Ours beside the two packages that do the same, each alone and both together, on every list
we know of: our own, the test data of the two packages (a package is not scored on the list
it was made from), and those of a third project that none of the three was made from. The
packages take a millisecond for an agent, so they see a sample of the longest list.
"""

from __future__ import annotations

import json
import re
import tarfile
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

import yaml
from crawlerdetect import CrawlerDetect

from bench import paths, report
from bench.agent_check import check_us, usual_agents
from introducer import agents

FETCHED = paths.ROOT / ".local/lists"
SAMPLE = 5_000
BOTS, PEOPLE = "recall", "false_positive"
_CLIENTS = ("feed_reader", "mediaplayer", "podcasting", "app_names", "normalize", "mobile_apps")
"""Fixtures of the third project whose agents are programs of all kinds: neither people nor bots."""

Detector = Callable[[str], bool]
"""Whether an agent is taken for anything but a person."""


class Listing(NamedTuple):
    """Agents that are all bots, scored by ``recall``, or all people, by ``false_positive``."""

    name: str
    scored: str
    agents: list[str]
    made: str = ""
    """The package that was made from it."""


def main() -> None:
    """Score, print and write the figures."""
    detectors = dict(baselines())
    rows, figures = [], {}
    for listing in listings():
        sample = listing.agents[:: max(1, len(listing.agents) // SAMPLE)]
        ours = percent(is_machine, listing.agents)
        shown = [f"{ours:.2f}"]
        figures[f"{listing.name}_{listing.scored}_pct"] = ours
        for name, detect in detectors.items():
            if listing.made and listing.made in name.split("+"):
                shown.append("-")
                continue
            theirs = percent(detect, sample)
            shown.append(f"{theirs:.2f}")
            figures[f"{listing.name}_{listing.scored}_pct_{name.replace('+', '_and_')}"] = theirs
        rows.append((listing.name, listing.scored, str(len(listing.agents)), *shown))
    header = ("list", "what, %", "agents", "ours", *detectors)
    report.grid("Bots found (recall) and people mistaken (false positive)", header, rows)
    figures["bot_check_us"] = check_us(usual_agents())
    report.table("Time", [("one usual browser, us", figures["bot_check_us"], "seen first")])
    report.write("bots", figures)


def is_machine(agent: str) -> bool:
    """Tell whether our own code takes *agent* for anything but a person."""
    return agents.classify(agent)[0] != "person"


def baselines() -> Iterator[tuple[str, Detector]]:
    """Yield the packages by name, and both together."""
    detector = CrawlerDetect()
    known = re.compile("|".join(f"(?:{each['pattern']})" for each in _crawler_user_agents()))

    def first(agent: str) -> bool:
        return bool(detector.isCrawler(agent))

    def second(agent: str) -> bool:
        return bool(known.search(agent))

    yield "crawlerdetect", first
    yield "crawleruseragents", second
    yield "crawlerdetect+crawleruseragents", lambda agent: first(agent) or second(agent)


def percent(detect: Detector, given: list[str]) -> float:
    """Return how many of a hundred *detect* takes for a machine."""
    return 100 * sum(map(detect, given)) / len(given)


def listings() -> Iterator[Listing]:
    """Yield every list: ours, those of the packages, those of a third project."""
    own = [
        line.split("\t")
        for line in (paths.ROOT / "tests/support/agents.tsv").read_text().splitlines()
    ]
    yield Listing("own_bots", BOTS, [agent for who, agent in own if who != "person"])
    yield Listing("own_people", PEOPLE, [agent for who, agent in own if who == "person"])
    fixtures = dict(_archive("crawlerdetect", "tests/fixtures/user_agent/"))
    for name, scored, file in (
        ("crawlerdetect_bots", BOTS, "crawlers.txt"),
        ("crawlerdetect_people", PEOPLE, "devices.txt"),
    ):
        text = fixtures[file].decode()
        yield Listing(name, scored, sorted(set(text.splitlines()) - {""}), "crawlerdetect")
    instances = {agent for each in _crawler_user_agents() for agent in each.get("instances", ())}
    yield Listing("crawleruseragents_bots", BOTS, sorted(instances), "crawleruseragents")
    yield from _third()


def _third() -> Iterator[Listing]:
    """Yield the fixtures of ``device-detector``: bots, and people by kind of device."""
    bots: set[str] = set()
    people: set[str] = set()
    for file, raw in _archive("device_detector", "tests/"):
        if not file.endswith(".yml") or Path(file).stem in _CLIENTS:
            continue
        for entry in yaml.load(raw, Loader=yaml.CSafeLoader) or ():
            if isinstance(entry, dict) and entry.get("user_agent"):
                (bots if "bot" in entry else people).add(str(entry["user_agent"]))
    yield Listing("devicedetector_bots", BOTS, sorted(bots))
    yield Listing("devicedetector_people", PEOPLE, sorted(people))


def _archive(project: str, folder: str) -> Iterator[tuple[str, bytes]]:
    """Yield the files below *folder* of a fetched source archive: the rest of the path, content."""
    (path,) = FETCHED.glob(f"{project}-*.tar.gz")
    with tarfile.open(path) as archive:
        for member in archive:
            _, found, rest = member.name.partition(f"/{folder}")
            content = archive.extractfile(member) if found and member.isfile() else None
            if content:
                yield rest, content.read()


def _crawler_user_agents() -> list[dict[str, list[str]]]:
    text = files("crawleruseragents").joinpath("crawler-user-agents.json").read_text()
    document: list[dict[str, list[str]]] = json.loads(text)
    return document


if __name__ == "__main__":
    main()
