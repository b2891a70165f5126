"""Seals: sums by account and class, and proofs that find every change."""

from __future__ import annotations

import msgspec
import pytest

from introducer import ledger, sealing
from introducer.ledger import Balance, Journal, Kind, Posting
from introducer.sealing import Head, Line, Seal, Tally

NOW = "2026-11-22T11:17:00.000Z"
DAYS = ("2026-11-20", "2026-11-21", "2026-11-22")


def journals(name: str) -> list[Journal]:
    """Return what one holder had booked: a reward that is released and paid out."""
    facts = [
        (Kind.REWARD_EARNED, {"class": "acquisition_cost"}),
        (Kind.REWARD_RELEASED, {"class": "acquisition_cost"}),
        (Kind.PAYOUT_CREATED, {"payout": "P1"}),
    ]
    postings = [
        Posting(
            id=f"{name}:{kind}",
            kind=kind,
            program="telecom",
            partner=name,
            currency="EUR",
            amount_minor=100,
            at=NOW,
            refs=refs,
        )
        for kind, refs in facts
    ]
    return list(ledger.post(Balance(partner=name, currency="EUR"), postings, NOW).journals)


def chain() -> tuple[list[Seal], Head]:
    """Return three chained seals of as many days, and the end of their chain."""
    made, head = [], Head()
    for day in DAYS:
        tally = Tally()
        booked = journals(day)
        for each in booked:
            tally.add(each)
        digest = sealing.digest(each.hash for each in booked)
        seal = sealing.made("telecom", day, tally, digest, head=head, supplement=0, now=NOW)
        head = Head(version=seal.number, hash=seal.hash)
        made.append(seal)
    return made, head


def roots(seals: list[Seal]) -> dict[tuple[str, int], bytes]:
    """Return what is kept of *seals*."""
    return {(each.day, each.supplement): sealing.root(each) for each in seals}


def kinds(faults: object) -> list[str]:
    """Return the kinds of *faults*."""
    return [each["kind"] for each in faults]  # type: ignore[attr-defined]


def test_lines_tell_debits_and_credits_by_class() -> None:
    """Money that passes an account shows on both sides; a payout has no class."""
    (seal, *_), _ = chain()
    line = {"currency": "EUR", "count": 1}

    assert (
        Line(account="expense", accounting_class="acquisition_cost", debit_minor=100, **line),
        Line(account="payable", accounting_class="acquisition_cost", credit_minor=100, **line),
        Line(account="payable", accounting_class="unclassified", debit_minor=100, **line),
        Line(
            account="pending",
            accounting_class="acquisition_cost",
            debit_minor=100,
            credit_minor=100,
            currency="EUR",
            count=2,
        ),
        Line(account="reserved", accounting_class="unclassified", credit_minor=100, **line),
    ) == seal.lines
    assert {"EUR": {"expense": -100, "reserved": 100}} == seal.sums


def test_lines_of_several_days_add_up() -> None:
    """Debits, credits and counts of the same name are one line."""
    made, _ = chain()
    together = sealing.merged(line for each in made for line in each.lines)

    assert len(made[0].lines) == len(together)
    assert [300, 6] == [together[3].credit_minor, together[3].count]


def test_newest_seal_of_a_day_counts() -> None:
    """A supplement tells the whole day."""
    made, head = chain()
    more = sealing.made("telecom", DAYS[1], Tally(), "x", head=head, supplement=1, now=NOW)

    assert [made[0], more, made[2]] == sealing.newest([*made, more])


def test_sound_chain_has_no_faults() -> None:
    """Nothing is found where nothing was changed."""
    made, head = chain()

    assert [] == kinds(sealing.chain_faults(made, head))
    assert [] == kinds(sealing.root_faults(made, roots(made)))
    assert [] == kinds(sealing.day_faults(made[0], journals(DAYS[0])))


@pytest.mark.parametrize("field", ["count", "journals", "lines", "day", "sealed_at"])
def test_changed_seal_is_found_whatever_was_changed(field: str) -> None:
    """The hash is over every field."""
    made, head = chain()
    changed = {"count": 9, "journals": "x", "lines": (), "day": "2026-11-19", "sealed_at": "x"}
    made[1] = msgspec.structs.replace(made[1], **{field: changed[field]})

    assert ["seal_changed"] == kinds(sealing.chain_faults(made, head))


def test_seal_signed_anew_tears_the_chain() -> None:
    """The next one names the hash it had."""
    made, head = chain()
    loose = msgspec.structs.replace(made[1], count=9)
    made[1] = msgspec.structs.replace(loose, hash=sealing.seal_hash(loose))

    assert ["chain_torn"] == kinds(sealing.chain_faults(made, head))
    assert ["chain_torn"] == kinds(sealing.chain_faults([made[0], made[2]], head))


def test_chain_made_anew_is_not_the_kept_roots() -> None:
    """Whoever signs everything anew cannot change what is kept elsewhere."""
    made, _ = chain()
    kept, head, forged = roots(made), Head(), []
    for each in made:
        loose = msgspec.structs.replace(each, prev=head.hash, count=9)
        signed = msgspec.structs.replace(loose, hash=sealing.seal_hash(loose))
        head = Head(version=signed.number, hash=signed.hash)
        forged.append(signed)

    assert [] == kinds(sealing.chain_faults(forged, head))
    assert ["root_differs"] * 3 == kinds(sealing.root_faults(forged, kept))
    assert ["root_missing"] == kinds(sealing.root_faults(made[:1], {}))
    assert ["seal_missing"] * 2 == kinds(sealing.root_faults(made[:1], kept))


def test_changed_missing_or_added_journal_is_found() -> None:
    """Against the seal of its day, with its hash made anew or not."""
    (seal, *_), _ = chain()
    first, second, third = journals(DAYS[0])
    changed = msgspec.structs.replace(first, legs={"expense": -1, "pending": 1})
    signed = msgspec.structs.replace(changed, hash=ledger.journal_hash(changed))

    assert ["journal_changed", "sums_differ"] == kinds(
        sealing.day_faults(seal, [changed, second, third])
    )
    assert ["journals_differ", "sums_differ"] == kinds(
        sealing.day_faults(seal, [signed, second, third])
    )
    assert ["journals_differ", "sums_differ"] == kinds(sealing.day_faults(seal, [first, second]))
    reason = msgspec.structs.replace(first, reason="x")
    assert ["journal_changed"] == kinds(sealing.day_faults(seal, [reason, second, third]))
