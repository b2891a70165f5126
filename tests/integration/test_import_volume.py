"""Ten thousand rows, good and bad in turn: the result file is known to the letter beforehand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from introducer import identity, ids, keyring, spreadsheet
from introducer.imports import result_key, upload_key
from introducer.tables import imports
from submit.imports import bucket, handler
from tests.support import importing, life, memory

ROWS = 10_000
SECRET = b"0" * 32
HEADER = "name,email,phone,country,partner,product,note,answers.budget"
Line = tuple[str, ...]
NOTHING = ("", "", "")


def good(number: int) -> tuple[str, str, Line]:
    """Return a row that is taken."""
    email = f"lead{number}@customers.example"
    return f'"=L ""{number}""",{email},,de,pia,fibre,"a\nb",high', "created", ("pia", email)


def again(number: int) -> tuple[str, str, Line]:
    """Return the row that stands at the beginning of its block once more."""
    email = f"LEAD{number - number % len(BLOCK)}@customers.example"
    return f"L,{email},,DE,pia,,,high", "known", ("pia", email)


def taken(number: int) -> tuple[str, str, Line]:
    """Return the same lead, referred by somebody else."""
    email = f"lead{number - number % len(BLOCK)}@customers.example"
    return f"L,{email},,DE,paul@partners.example,,,high", "duplicate", ("paul", email)


def bad(cells: str, code: str, field: str, message: str) -> Callable[[int], tuple[str, str, Line]]:
    """Return a row that is refused, always for the same reason."""
    return lambda _: (cells, "refused", (code, field, message))


WANTED = "This must be "
BLOCK: list[Callable[[int], tuple[str, str, Line]]] = [
    good,
    again,
    taken,
    bad(",x@c.example,,DE,pia,,,", "missing_value", "name", "This cell must not be empty."),
    bad(
        "X,x at c.example,,DE,pia,,,high",
        "invalid_value",
        "email",
        f"{WANTED}an e-mail address, such as lena@example.com.",
    ),
    bad(
        "X,x@c..example,,DE,pia,,,high",
        "invalid_email",
        "email",
        "Not an e-mail address.",
    ),
    bad(
        "X,,call me,DE,pia,,,high",
        "invalid_value",
        "phone",
        f"{WANTED}a telephone number, such as +49 30 901820.",
    ),
    bad("X,,+49 1,DE,pia,,,high", "invalid_phone", "phone", "Not a phone number."),
    bad(
        "X,,,DE,pia,,,high",
        "no_contact",
        "email",
        "An e-mail address or a telephone number is needed.",
    ),
    bad(
        "X,x@c.example,,Germany,pia,,,high",
        "invalid_value",
        "country",
        f"{WANTED}two letters, such as DE.",
    ),
    bad(
        "X,x@c.example,,DE,,,,high",
        "no_partner",
        "code",
        "Name a code or a partner, so that somebody can be credited.",
    ),
    bad(
        "X,x@c.example,,DE,nobody,,,high",
        "unknown_partner",
        "partner",
        "There is no such partner in the program.",
    ),
    bad("X,x@c.example,,DE,pia,fax,,high", "unknown_product", "product", "No such product."),
    bad("X,x@c.example,,DE,pia,,,much", "invalid_answer", "answers.budget", "One of low, high."),
    bad(
        "X,x@c.example,,DE,pia,,,",
        "answer_missing",
        "answers.budget",
        "This question must be answered.",
    ),
    bad(
        "X,x@c.example,,DE,pia,,",
        "too_few_cells",
        "",
        "7 cells under 8 columns; is a separator in a cell?",
    ),
    bad(
        "X,x@c.example,,DE,pia,,,high,more",
        "too_many_cells",
        "",
        "9 cells under 8 columns; is a separator in a cell?",
    ),
    bad(
        f"X,x@c.example,,DE,pia,,{'n' * 2001},high",
        "cell_too_long",
        "note",
        "Longer than 2000 characters; is a quotation mark not closed?",
    ),
    bad(
        f"X,x@c.example,,DE,pia,,{'n' * 1500},high",
        "invalid_value",
        "note",
        f"{WANTED}at most 1,000 characters.",
    ),
    bad(
        "X\x00,x@c.example,,DE,pia,,,high",
        "control_character",
        "name",
        "Holds characters that cannot be shown.",
    ),
    bad(
        "X\u202e,x@c.example,,DE,pia,,,high",
        "invalid_value",
        "name",
        f"{WANTED}one line of at most 200 characters.",
    ),
]


@pytest.fixture
def files(function_environment: None, monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """A program in memory, and the bucket as a dictionary."""
    del function_environment
    found: dict[str, bytes] = {}
    memory.install(monkeypatch)
    monkeypatch.setattr(keyring, "secret", lambda _: SECRET)
    monkeypatch.setattr("introducer.clock.now", lambda: importing.NOW)
    monkeypatch.setattr(bucket, "size_and_mark", lambda key: (len(found[key]), "mark"))
    monkeypatch.setattr(bucket, "read", lambda key: (found[key], "mark"))
    monkeypatch.setattr(bucket, "write", lambda key, text: found.update({key: text.encode()}))
    question = {"text": "How much?", "type": "choice", "options": ["low", "high"], "required": True}
    life.publish(questions={"budget": question})
    for name in ("pia", "paul"):
        key = identity.email_key(f"{name}@partners.example", SECRET)
        life.enrol(name, login=f"login-{name}", email_key=key, verified=True)
    return found


def expected(number: int, outcome: str, said: Line) -> Line:
    """Return the line about a row."""
    row = str(number)
    if outcome == "refused":
        return row, outcome, "", *said
    partner, email = said
    name = ids.derived_id("csv", life.PROGRAM, partner, identity.email_key(email, SECRET))
    if outcome == "duplicate":
        why = "This lead was referred before; the earlier referral counts."
        return row, outcome, name, "referred_before", "", why
    return row, outcome, name, *NOTHING


def test_ten_thousand_rows_give_exactly_their_lines(files: dict[str, bytes]) -> None:
    """Every kind of good and bad row, again and again: nothing is lost, shifted or told twice."""
    made = [BLOCK[number % len(BLOCK)](number) for number in range(ROWS)]
    files[upload_key("i1")] = "\n".join([HEADER, *(cells for cells, _, _ in made)]).encode()
    importing.announce("i1", "referrals")

    handler.go_on("i1", lambda: 300.0)

    lines = [
        expected(number, outcome, said) for number, (_, outcome, said) in enumerate(made, start=2)
    ]
    assert spreadsheet.lines([handler.HEADER, *lines]) == files[result_key("i1")].decode()
    job = imports.get("i1")
    counts = dict(Counter(outcome for _, outcome, _ in made))
    assert ("done", ROWS, counts) == (job.status, job.rows, job.counts)
