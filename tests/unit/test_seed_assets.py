"""The example library that a fresh stack is seeded with."""

from __future__ import annotations

import json

import pytest

from infra import seed
from introducer import asset as library
from introducer import sharing
from introducer.asset import Asset
from submit.inputs import from_json
from submit.resources.assets import AssetBody

EXAMPLES = json.loads(seed.ASSETS_FILE.read_text())


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_example_asset_can_be_published_and_filled_in(name: str) -> None:
    """Right in both languages, and nothing is left open when all defaults are taken."""
    body = from_json(json.dumps(EXAMPLES[name]).encode(), AssetBody)
    asset = Asset(
        id=name,
        program="telecom",
        kind=body.kind,
        channel=body.channel,
        texts=body.texts,
        published_at="2026-11-22T11:17:00.000Z",
    )
    given = dict.fromkeys(library.GIVEN, "x") | {"link": "https://go.example.com/r/abc"}
    filled = [sharing.fill(text, library.values(text, {}, given)) for text in asset.texts.values()]
    assert ([], {"en", "de"}) == (library.faults(asset, []), set(asset.texts))
    assert [False, False] == ["{" in each.text + each.subject for each in filled]
