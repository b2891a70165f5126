"""What telling a person from a bot costs, for an ordinary browser that was not seen before."""

from __future__ import annotations

import time

from bench import paths  # noqa: F401  (it makes our code importable)
from introducer import agents


def check_us(given: list[str]) -> float:
    """Return the processor time of judging one agent never seen before, headers included."""
    headers = {"accept": "text/html", "accept-language": "de", "sec-fetch-dest": "document"}
    best = float("inf")
    for _ in range(5):
        agents.of_agent.cache_clear()
        began = time.process_time()
        for agent in given:
            agents.classify(agent, "GET", headers)
        best = min(best, (time.process_time() - began) / len(given))
    return best * 1_000_000


def usual_agents() -> list[str]:
    """Return ordinary browsers, every one another than the rest."""
    engine = "AppleWebKit/537.36 (KHTML, like Gecko)"
    apple = "AppleWebKit/605.1.15 (KHTML, like Gecko)"
    phone = "Mobile/15E148 Safari/604.1"
    usual = (
        f"(Windows NT 10.0; Win64; x64) {engine} Chrome/142.0.0.{{}} Safari/537.36",
        f"(Linux; Android 16; SM-S{{}}B) {engine} Chrome/142.0.0.0 Mobile Safari/537.36",
        f"(iPhone; CPU iPhone OS 18_{{}} like Mac OS X) {apple} Version/18.0 {phone}",
        "(X11; Linux x86_64; rv:143.{0}) Gecko/20100101 Firefox/143.{0}",
    )
    return ["Mozilla/5.0 " + agent.format(number) for number in range(1000) for agent in usual]
