"""Who is a person: every kind of browser is, and nothing else."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.agents import classified, main
from introducer import agents
from tests.support.clicks import BROWSER

LISTED = [
    tuple(line.split("\t"))
    for line in (Path(__file__).parent.parent / "support/agents.tsv").read_text().splitlines()
]
CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/142.0.0.0 Safari/537.36"
)
ANDROID = "Mozilla/5.0 (Linux; Android 14; {}) AppleWebKit/537.36 (KHTML, like Gecko) {}"
VERDICTS = {"person", "bot", "preview", "prefetch", "head"}


@pytest.mark.parametrize(("verdict", "agent"), LISTED)
def test_agent_is_told_apart(verdict: str, agent: str) -> None:
    """Desktops, phones, apps, televisions, consoles and old browsers; and what is none of them."""
    assert verdict == agents.classify(agent)[0]


@pytest.mark.parametrize("system", ["(Windows NT", "(Macintosh", "(iPhone", "(iPad", "(Linux; And"])
def test_ordinary_browsers_take_the_short_way(system: str) -> None:
    """What most people use never costs more than the look at a shape."""
    found = [a for who, a in LISTED if who == "person" and a.startswith(f"Mozilla/5.0 {system}")]
    usual = [agent for agent in found if agent.endswith(("Safari/537.36", "/604.1", "/605.1.15"))]
    assert usual
    short = sum(map(agents._is_ordinary, usual))
    assert short >= 0.7 * len(usual)


@pytest.mark.parametrize(
    ("method", "headers", "verdict"),
    [
        ("HEAD", {}, ("head", "method")),
        ("GET", {"sec-purpose": "prefetch"}, ("prefetch", "purpose")),
        ("GET", {"sec-purpose": "prefetch;prerender"}, ("prefetch", "purpose")),
        ("GET", {"purpose": "Prefetch"}, ("prefetch", "purpose")),
        ("GET", {"x-purpose": "preview"}, ("prefetch", "purpose")),
        ("GET", {"x-moz": "prefetch"}, ("prefetch", "purpose")),
        ("GET", {"sec-fetch-dest": "image"}, ("prefetch", "embedded")),
        ("GET", {"sec-fetch-dest": "script"}, ("prefetch", "embedded")),
        ("GET", {"sec-fetch-dest": "document"}, ("person", "")),
        ("GET", {"from": "crawler(at)search.example"}, ("bot", "from")),
        ("GET", {"sec-ch-ua": '"HeadlessChrome";v="142"'}, ("bot", "headless")),
        ("GET", {"sec-ch-ua": '"Chromium";v="142"'}, ("person", "")),
        ("GET", {}, ("person", "")),
    ],
)
def test_headers_say_more_than_the_agent(
    method: str, headers: dict[str, str], verdict: tuple[str, str]
) -> None:
    """What a browser says of its purpose decides; what was dropped on the way proves nothing."""
    assert verdict == agents.classify(CHROME, method, headers)


def test_bot_stays_a_bot_whatever_it_sends_besides() -> None:
    """Headers of a browser do not make a person."""
    headers = {"accept": "text/html", "accept-language": "de", "sec-fetch-dest": "document"}
    assert ("bot", "tool") == agents.classify("curl/8.5.0", "GET", headers)


@pytest.mark.parametrize("name", ["CUBOT NOTE 20", "M bot 60", "Spider 8", "XBot Junior"])
def test_phone_is_not_judged_by_its_name(name: str) -> None:
    """Makers call phones as they like; the same word elsewhere is a robot's."""
    assert agents.PERSON == agents.judge(ANDROID.format(name, "Chrome/142.0.0.0 Mobile"))
    assert agents.PERSON == agents.judge(ANDROID.format(f"{name} Build/X", "Chrome/142.0.0.0"))
    assert ("bot", "robot") == agents.judge(ANDROID.format("Pixel 9", "Chrome/142.0.0.0 XBot/1.0"))


@pytest.mark.parametrize(
    "said",
    [
        "https://rules.example/about",
        "+http://example.com",
        "www.example.com/page",
        "someone@example.com",
        "mailto:someone",
        "example.com",
    ],
)
def test_agent_that_leaves_an_address_is_a_bot(said: str) -> None:
    """A browser's maker does not ask to be written to."""
    assert "person" == agents.judge(f"{CHROME} Thing/1.0")[0]
    assert ("bot", "address") == agents.judge(f"{CHROME} Thing/1.0 ({said})")


@given(st.text(max_size=1500), st.sampled_from(["GET", "HEAD", ""]))
def test_any_agent_has_a_verdict_and_a_reason(agent: str, method: str) -> None:
    """Nothing that can be sent fails; who is no person has a reason."""
    verdict, reason = agents.classify(agent, method, {"purpose": agent})
    assert verdict in VERDICTS
    assert (verdict == "person") == (not reason)
    assert len(reason) <= 8


def test_long_agent_is_cut_before_it_is_looked_at() -> None:
    """A megabyte of header costs no more than a thousand characters."""
    assert agents.PERSON == agents.classify(BROWSER + " " * 1_000_000 + "bot")


def test_command_gives_a_line_for_a_line(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    """Verdict, reason and the agent as it was, empty ones too, whatever else is in them."""
    file = tmp_path / "agents.txt"
    file.write_bytes(f"curl/8\r\n{CHROME}\n\nodd\x0b\x85\xe9\n".encode("latin-1"))
    assert 0 == main([str(file)])
    assert (
        f"bot\ttool\tcurl/8\nperson\t\t{CHROME}\nbot\tnone\t\nbot\tshape\todd\x0b\ufffd\ufffd\n"
    ).encode() == capfdbinary.readouterr().out


def test_command_reads_standard_input(
    monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    """A list can be piped in, and need not end with a newline."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"Twitterbot/1.0")))
    assert 0 == main(["-"])
    assert b"preview\tpreview\tTwitterbot/1.0\n" == capfdbinary.readouterr().out


def test_command_says_what_it_cannot_read(capfd: pytest.CaptureFixture[str]) -> None:
    """A wrong name is told in one line."""
    assert 2 == main(["/nowhere/agents.txt"])
    assert "cannot read /nowhere/agents.txt: No such file or directory\n" == capfd.readouterr().err
    assert [] == list(classified([]))
