"""Requests a second on ten connections: the redirect, a submission, and a baseline.

Everything is behind the same front, in one process each; ours writes to the embedded AWS's
DynamoDB, which is another process on the same cores, the baseline to SQLite in its own.
"""

from __future__ import annotations

import json
import os
import tempfile
from functools import partial
from pathlib import Path

from bench import front, life, paths
from bench.messages import click_of, new_referral
from bench.served import CODE
from bench.world import World, running
from tests.support.clicks import BROWSER, link_item, salt_item

ROUNDS = 3
_PINAX_PYTHON = paths.ROOT / ".local/bench/bin/python"
_UNUSED = 10**9
"""Above every number that named a request before."""
_A_ROUND = 1 << 21  # more requests than a round can take; addresses never repeat


def clicks() -> dict[str, float]:
    """Return the rates of our redirect and of the baseline in turn, the best of the rounds.

    Each visitor is a new one. What of our clicks was answered without being stored, because
    the store took too long, is told as a share.
    """
    ours: list[front.Rate] = []
    theirs: list[front.Rate] = []
    with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as emulator:
        world = World(emulator, "-rate")
        for item in (salt_item(), link_item(CODE)):
            world.client("dynamodb").put_item(TableName=os.environ["CORE_TABLE"], Item=item)
        baseline = {**os.environ, "PINAX_DATABASE": f"{folder}/pinax.sqlite"}
        with (
            front.served("click", _environment()) as port,
            front.served("pinax", baseline, python=str(_PINAX_PYTHON)) as other,
        ):
            for turn in range(ROUNDS):
                asked = partial(_click, turn)
                ours.append(front.rate(port, asked, status=302))
                theirs.append(front.rate(other, asked, status=302))
        pages = world.client("dynamodb").get_paginator("scan")
        found = pages.paginate(TableName=os.environ["CLICKS_TABLE"], Select="COUNT")
        stored = sum(page["Count"] for page in found)
    answered = sum(each.answered for each in ours)
    return {
        "click_rps_c10": max(each.per_second for each in ours),
        "click_rps_c10_lost_pct": 100 * (answered - stored) / answered,
        "pinax_rps_c10": max(each.per_second for each in theirs),
    }


def submissions(cohort: life.Cohort, after: int) -> float:
    """Return the rate of public submissions, each of another lead, the best of the rounds.

    Args:
        cohort: A prepared one, whose links they come from.
        after: The number of the last lead that was submitted before.
    """
    links, now = cohort.links, cohort.world.now
    ids = [click_of(link, now) for link in links]

    def asked(turn: int, number: int) -> bytes:
        lead = after + 1 + turn * _A_ROUND + number
        body = json.dumps(new_referral(lead, ids[lead % len(ids)])).encode()
        path = f"/v1/programs/{life.PROGRAM}/referrals"
        return front.post(path, body, {"x-number": str(_UNUSED + lead)})

    with front.served("submit", _environment()) as port:
        return max(
            front.rate(port, partial(asked, turn), status=201).per_second for turn in range(ROUNDS)
        )


def _click(turn: int, number: int) -> bytes:
    number += turn * _A_ROUND
    address = f"203.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
    return front.get(
        f"/r/{CODE}?utm_source=news&utm_medium=email",
        {
            "accept": "text/html",
            "referer": "https://blog.example.org/post",
            "user-agent": BROWSER,
            "x-forwarded-for": address,
        },
    )


def _environment() -> dict[str, str]:
    sources = os.pathsep.join(str(source) for source in paths.SOURCES)
    return {**os.environ, "PYTHONPATH": sources, "POWERTOOLS_LOG_LEVEL": "ERROR"}
