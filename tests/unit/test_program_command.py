"""Documents are checked on the command line as they are on publishing."""

import json
from pathlib import Path

import pytest

from infra import program
from tests.support.documents import document, plan

BASE = document()
REGION = {"id": "acme-us", "extends": {"program": "acme", "version": 1}, "name": "Acme US"}


def _write(path: Path, text: object) -> str:
    path.write_text(text if isinstance(text, str) else json.dumps(text))
    return str(path)


def test_a_valid_document_is_one_line_and_zero(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who checks a good document sees that, and a script goes on."""
    file = _write(tmp_path / "acme.json", BASE)
    assert 0 == program.main(["validate", file])
    assert f"{file} is valid: program acme, 2 audiences, 1 plans\n" == capsys.readouterr().out


def test_every_finding_is_printed_and_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each finding has its path, what is wrong and how to mend it; a script stops."""
    sent = document(plan(audiences=["freinds"]), time_zone="Mars/Olympus")
    file = _write(tmp_path / "acme.json", sent)
    assert 1 == program.main(["validate", file])
    printed = capsys.readouterr()
    assert [
        "$.rewards[0].audiences[0]",
        "  wrong: there is no audience freinds",
        "  mend:  did you mean friends?",
        "$.time_zone",
        "  wrong: unknown time zone",
        "  mend:  use an IANA name such as Europe/Berlin",
    ] == printed.out.splitlines()
    assert f"{file} has 2 findings\n" == printed.err


def test_a_missing_file_is_said_plainly(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No traceback for a mistyped name."""
    file = str(tmp_path / "nope.json")
    assert 2 == program.main(["validate", file])
    assert f"cannot read {file}: No such file or directory\n" == capsys.readouterr().err
    assert 2 == program.main(["validate", str(tmp_path)])


def test_a_base_is_found_beside_or_named(tmp_path: Path) -> None:
    """A regional document is checked offline, with its base."""
    (tmp_path / "elsewhere").mkdir()
    region = _write(tmp_path / "acme-us.json", REGION)
    base = _write(tmp_path / "elsewhere" / "world.json", BASE)
    assert 1 == program.main(["validate", region])
    assert 0 == program.main(["validate", region, "--base", base])
    _write(tmp_path / "acme.json", "{")
    assert 1 == program.main(["validate", region])
    _write(tmp_path / "acme.json", BASE)
    assert 0 == program.main(["validate", region])


def test_a_named_base_must_be_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A mistyped base is said too."""
    region = _write(tmp_path / "acme-us.json", REGION)
    missing = str(tmp_path / "nope.json")
    assert 2 == program.main(["validate", region, "--base", missing])
    assert f"cannot read {missing}: No such file or directory\n" == capsys.readouterr().err
