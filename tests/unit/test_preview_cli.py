"""The preview on the command line: what it prints, writes and answers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from infra.preview import main

TELECOM = "infra/programs/telecom.json"
PAST = """referral,partner,audience,won_at,amount,currency,product,country
r1,=cmd(),customers,2026-01-10,1000.00,EUR,fibre,DE
"""


def test_results_are_printed_and_written_beside_the_data(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """People read the terminal; the JSON and the safe CSV lie where the data are."""
    data = tmp_path / "past.csv"
    data.write_text(PAST)
    assert 0 == main([TELECOM, str(data), "--against", TELECOM])
    assert "sold: 1000.00 EUR in 1 sales" in capsys.readouterr().out
    report = json.loads((tmp_path / "past-telecom-preview.json").read_bytes())
    assert ("telecom", 1) == (report["program"], report["referrals"])
    partners = (tmp_path / "past-telecom-partners.csv").read_text().splitlines()
    assert partners[1].startswith("'=cmd(),EUR,")


def test_results_may_go_elsewhere(tmp_path: Path) -> None:
    """A folder that is named is made."""
    data = tmp_path / "past.csv"
    data.write_text(PAST)
    assert 0 == main([TELECOM, str(data), "--out", str(tmp_path / "new")])
    assert ["past-telecom-partners.csv", "past-telecom-preview.json"] == sorted(
        path.name for path in (tmp_path / "new").iterdir()
    )


def test_bad_data_end_with_findings_and_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Row, column, fault and remedy are printed; nothing is written."""
    data = tmp_path / "past.csv"
    data.write_text(PAST.replace("1000.00", "a lot"))
    assert 1 == main([TELECOM, str(data)])
    assert "row 2, amount: this is not a money that can be read" in capsys.readouterr().out
    assert [data] == list(tmp_path.iterdir())


def test_a_bad_document_ends_with_findings_and_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The draft is checked as on publishing."""
    draft, data = tmp_path / "draft.json", tmp_path / "past.csv"
    draft.write_text("{}")
    data.write_text(PAST)
    assert 1 == main([str(draft), str(data)])
    assert "findings" in capsys.readouterr().err


def test_a_file_that_is_not_there_ends_with_two(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No such file is no finding."""
    assert 2 == main([TELECOM, str(tmp_path / "none.csv")])
    assert "cannot use" in capsys.readouterr().err
