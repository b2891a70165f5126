"""By what a lead is found again: claims that one referral holds, and notes that many may have.

A claim (:mod:`introducer.tables.claims`) is of the kind ``lead_email``, ``lead_phone``,
``lead_external.{source}`` or ``lead_domain``; its value is a keyed hash and its target the
referral. What is only looked up is noted as ``LEAD#{program}#{kind}#{keyed hash}`` /
``{time}#{referral}``, which goes when the lead's protection ends.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from introducer import clock
from introducer.clock import Instant
from introducer.document.intake import Identity
from introducer.identity import DOMAIN, EXTERNAL, PHONE
from introducer.referral import Referral
from introducer.tables import claims, store
from introducer.tables.claims import Claim
from introducer.tables.store import Item, Table, Transaction

EMAIL = "email"
MOST_NOTED = 200
"""So many earlier leads with the same key are looked at, the newest first."""
_PAGE = 10
"""So many are read at once: mostly the first of them says enough."""


def unique_keys(referral: Referral, rule: Identity) -> dict[str, str]:
    """Return the keys that only one protected referral may have, the strongest first.

    Where several are taken by different referrals, the first of them decides.
    """
    known = referral.keys
    found = {EMAIL: referral.lead_key}
    if rule.phone == "unique":
        found[PHONE] = known.get(PHONE, "")
    found |= {kind: known[kind] for kind in sorted(known) if kind.startswith(EXTERNAL)}
    if rule.domain == "unique":
        found[DOMAIN] = known.get(DOMAIN, "")
    return {kind: value for kind, value in found.items() if value}


def looked_up_keys(referral: Referral, rule: Identity) -> dict[str, str]:
    """Return the keys under which it is only noted that there is such a lead."""
    asked = {PHONE: rule.phone, DOMAIN: rule.domain}
    return {
        kind: referral.keys[kind]
        for kind, how in asked.items()
        if how == "lookup" and referral.keys.get(kind)
    }


def claims_of(referral: Referral, rule: Identity, protected_until: Instant) -> list[Claim]:
    """Return the claims that protect a lead for its first referral."""
    return [
        Claim(
            scope=referral.program,
            kind=f"lead_{kind}",
            value=value,
            target=referral.id,
            expires_at=protected_until,
        )
        for kind, value in unique_keys(referral, rule).items()
    ]


def holder(referral: Referral, rule: Identity, *, now: Instant) -> tuple[str, str]:
    """Return the referral that the lead is protected for, and by which kind of key.

    Both are empty when nobody holds any of its keys at *now*. One read for each key.
    """
    for kind, value in unique_keys(referral, rule).items():
        claim = claims.find(referral.program, f"lead_{kind}", value, now=now)
        if claim:
            return claim.target, kind
    return "", ""


def held(keys: Sequence[str], target: str, *, now: Instant) -> list[Claim]:
    """Return the claims under *keys* that the referral *target* holds at *now*."""
    found = (store.get(Table.CORE, key, "CLAIM") for key in keys)
    known = (store.load(Claim, stored) for stored in found if stored)
    return [claim for claim in known if claim.target == target and claim.expires_at > now]


def note(writes: Transaction, referral: Referral, rule: Identity, protected_until: Instant) -> None:
    """Add the notes under which later leads find this one."""
    for kind, value in looked_up_keys(referral, rule).items():
        writes.put(
            Table.CORE,
            _pk(referral.program, kind, value),
            f"{referral.submitted_at}#{referral.id}",
            {"referral": referral.id, "ttl": clock.epoch_s(protected_until)},
        )


def earlier(referral: Referral, kind: str) -> Iterator[Referral]:
    """Yield the protected referrals with the same key that were submitted before, newest first.

    Which of two was earlier, their time and then their id say; so it is the same for both,
    whoever is looked at first. Nothing is read before it is asked for.
    """
    notes = store.query_all(
        Table.CORE,
        _pk(referral.program, kind, referral.keys[kind]),
        between=("0", f"{referral.submitted_at}#{referral.id}"),
        limit=_PAGE,
        newest_first=True,
        consistent=True,
    )
    looked_at = islice(notes, MOST_NOTED)
    while some := list(islice(looked_at, _PAGE)):
        yield from _protected(some, referral)


def _protected(notes: list[Item], referral: Referral) -> Iterator[Referral]:
    now = clock.epoch_s(referral.submitted_at)
    names = [
        noted["referral"]
        for noted in notes
        if noted["referral"] != referral.id and noted["ttl"] > now
    ]
    found = store.batch_get(Table.CORE, [(f"REFERRAL#{name}", "STATE") for name in names])
    for name in names:
        stored = found.get((f"REFERRAL#{name}", "STATE"))
        if stored:
            yield store.load(Referral, stored)


def _pk(program: str, kind: str, value: str) -> str:
    return f"LEAD#{program}#{kind}#{value}"
