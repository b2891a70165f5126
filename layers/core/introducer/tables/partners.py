"""Partners in the Core table.

``PARTNER#{id}`` / ``PROFILE``, ``SUCCESS#{referral}``. A login finds its partner through
the claim ``global`` / ``login``, a mailbox through ``{program}`` / ``partner_email``. Who was
invited and is to be reminded hangs on ``gsi3`` ``DUE#invite#{shard}`` / the time of it.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from pynamodb.expressions.operand import Path

from introducer import ids, keyring, payee
from introducer import partner as partners
from introducer.clock import Instant
from introducer.document.audience import Engagement
from introducer.eligibility import Done
from introducer.errors import AlreadyExistsError, StaleError
from introducer.event import Event
from introducer.partner import Partner
from introducer.tables import claims, events, people, referrals, store
from introducer.tables.claims import Claim
from introducer.tables.people import Contact, Greeting, Payee, PayeeRequest
from introducer.tables.store import Table, Transaction

_PAGE = 100
_MOST_TURNED_DOWN = 2_000
"""How many of a partner's newest referrals may have been turned down before counting gives up."""
INVITE_SHARDS = 4


class MailboxTakenError(AlreadyExistsError):
    """The mailbox is somebody's already; look them up and decide anew."""


def enrol(writes: Transaction, partner: Partner, contact: Contact, *, actor: str) -> None:
    """Add everything that makes *partner* exist: profile, event, contact and claims.

    The transaction fails with :class:`AlreadyExistsError` when the login or the
    mailbox is enrolled already.
    """
    _make(writes, partner, contact, partners.enrolled(partner, actor=actor), partner.enrolled_at)
    _take_login(writes, partner, now=partner.enrolled_at)


def invite(
    writes: Transaction, partner: Partner, contact: Contact, *, credited: bool = False
) -> None:
    """Add somebody who was invited: profile, event, contact and the claim of the mailbox.

    The transaction fails with :class:`MailboxTakenError` when the mailbox is somebody's.
    """
    event = partners.invited(partner, credited=credited)
    _make(writes, partner, contact, event, partner.invited_at)


def join(
    writes: Transaction, before: Partner, after: Partner, contact: Contact, *, actor: str
) -> None:
    """Add the enrolment of somebody invited, who stays the same partner.

    The transaction fails with :class:`StaleError` when somebody else joined or changed the
    partner first, with :class:`AlreadyExistsError` when the login is enrolled already.
    """
    save(writes, before, after, partners.enrolled(after, actor=actor))
    claimed = [login_claim(after.login, after.entity), mailbox_claim(after)]
    people.add_contact(writes, after.person, _with_claims(contact, claimed))
    _take_login(writes, after, now=after.enrolled_at)


def set_payee(
    writes: Transaction,
    partner: Partner,
    account: Payee,
    *,
    now: Instant,
    actor: str,
    usable_at: Instant = "",
    confirmed: str = "",
) -> Partner:
    """Add new bank data for *partner*, its note on the profile and the event.

    Nothing is paid to it before *usable_at*; *confirmed* is the request that was confirmed,
    empty for the first account.
    """
    after, event = payee.changed(
        partner,
        method=account.method,
        key=payee.account_key(keyring.secret(keyring.IDENTITY), account.method, account.number),
        usable_at=usable_at,
        request=confirmed,
        now=now,
        actor=actor,
    )
    save(writes, partner, after, event)
    people.add_payee(writes, partner.person, account, now=now)
    return after


def request_payee(
    writes: Transaction, partner: Partner, request: PayeeRequest, account: Payee, *, actor: str
) -> Partner:
    """Add bank data that is to replace what is on file once it is confirmed, and the event."""
    after, event = payee.requested(partner, request.id, now=request.at, actor=actor)
    save(writes, partner, after, event)
    people.add_next_payee(writes, partner.person, request, account)
    return after


def set_greeting(
    writes: Transaction, partner: Partner, greeting: Greeting, *, actor: str
) -> Partner:
    """Add what *partner* says on their landing pages, and the event."""
    shown, now = greeting.show, greeting.set_at
    after, event = partners.greeted(partner, shown=shown, now=now, actor=actor)
    save(writes, partner, after, event)
    people.add_greeting(writes, partner.person, greeting)
    return after


def save(writes: Transaction, before: Partner, after: Partner, event: Event) -> None:
    """Add the move from *before* to *after* and its event.

    The transaction fails with :class:`StaleError` when the partner changed meanwhile.
    """
    writes.put(
        Table.CORE,
        after.entity,
        "PROFILE",
        after,
        index=_index(after),
        condition=Path("version") == before.version,
        error=StaleError("somebody else changed the partner first"),
    )
    events.add(writes, event)


def add_success(writes: Transaction, partner: str, referral: str, *, now: Instant) -> None:
    """Add the mark of a referral that was won; a repeated one is the same item."""
    success = {"referral": referral, "won_at": now}
    writes.put(Table.CORE, f"PARTNER#{partner}", f"SUCCESS#{referral}", success)


def drop_success(writes: Transaction, partner: str, referral: str) -> None:
    """Add the removal of the mark of a success that turned out to be somebody else's.

    The transaction fails with :class:`StaleError` when it was removed meanwhile.
    """
    pk, sk = f"PARTNER#{partner}", f"SUCCESS#{referral}"
    if store.get(Table.CORE, pk, sk):
        gone = StaleError("somebody else removed the mark first")
        writes.delete(Table.CORE, pk, sk, condition=Path("pk").exists(), error=gone)


def engagement(partner: Partner, asked: Engagement) -> Done:
    """Return what *partner* has done of what is *asked*; counting ends where it is enough.

    Nothing is read that is not asked for. Referrals cost one unit each, duplicates and the
    like included, up to the number asked; successes half a unit per 4 KB of marks.
    """
    return Done(
        referrals=_screened(partner.id, asked.referrals) if asked.referrals else 0,
        successes=_won(partner.id, asked.successes) if asked.successes else 0,
        agreements=frozenset(partner.agreements),
    )


def partner_of_login(login: str, *, now: Instant) -> Partner | None:
    """Return the partner a login acts for, or None."""
    claim = claims.find("global", "login", login, now=now)
    if claim is None or not claim.target.startswith("PARTNER#"):
        return None
    return find_partner(claim.target.partition("#")[2])


def find_partner(partner: str) -> Partner | None:
    """Return a partner, or None."""
    stored = store.get(Table.CORE, f"PARTNER#{partner}", "PROFILE")
    return store.load(Partner, stored) if stored else None


def find_partners(partners: list[str]) -> dict[str, Partner]:
    """Return those of *partners* who exist, by id; eventually consistent."""
    found = store.batch_get(Table.CORE, [(f"PARTNER#{each}", "PROFILE") for each in partners])
    profiles = [store.load(Partner, stored) for stored in found.values()]
    return {profile.id: profile for profile in profiles}


def partner_by_email_key(program: str, email_key: str, *, now: Instant) -> str:
    """Return the id of the partner who has this mailbox, or an empty string."""
    claim = claims.find(program, "partner_email", email_key, now=now)
    return claim.target if claim else ""


def by_email_keys(program: str, email_keys: list[str]) -> dict[str, Partner]:
    """Return the partners who have these mailboxes, by the mailbox's keyed hash."""
    wanted = [(claims.key(program, "partner_email", key), "CLAIM") for key in email_keys]
    found = store.batch_get(Table.CORE, wanted, consistent=True)
    known = find_partners([stored["target"] for stored in found.values()])
    return {each.email_key: each for each in known.values()}


def of_mailbox(program: str, email_key: str, *, now: Instant) -> Partner | None:
    """Return the partner who has this mailbox, enrolled or invited, or None."""
    partner = partner_by_email_key(program, email_key, now=now)
    return find_partner(partner) if partner else None


def to_remind(now: Instant) -> Iterator[Partner]:
    """Yield the invited partners who are to be reminded at *now*."""
    for shard in range(INVITE_SHARDS):
        due = f"DUE#invite#{shard}"
        for keys in store.query_all(Table.CORE, due, between=("0", now), index="gsi3"):
            found = find_partner(keys["pk"].partition("#")[2])
            # The index may be a moment behind: what counts is the profile.
            if found and found.status == "invited" and found.remind_at and found.remind_at <= now:
                yield found


def mailbox_claim(partner: Partner) -> Claim:
    """Return the claim that ties a mailbox to its partner."""
    return Claim(
        scope=partner.program, kind="partner_email", value=partner.email_key, target=partner.id
    )


def login_claim(login: str, entity: str) -> Claim:
    """Return the claim that ties a login to the one partner or rep it acts for."""
    return Claim(scope="global", kind="login", value=login, target=entity)


def _screened(partner: str, most: int) -> int:
    """Return how many of a partner's referrals screening let through, *most* at most."""
    count, looked_at, place = 0, 0, None
    while True:
        rows, page = referrals.of_partner(partner, limit=_PAGE, start=place)
        count += sum(each.partner != "" and share.basis_points > 0 for each, share in rows)
        looked_at += len(rows)
        place = page.next
        if count >= most or place is None or looked_at >= most + _MOST_TURNED_DOWN:
            return min(count, most)


def _won(partner: str, most: int) -> int:
    count, place = 0, None
    while True:
        page = store.query(
            Table.CORE, f"PARTNER#{partner}", prefix="SUCCESS#", limit=most, start=place
        )
        count += len(page.items)
        place = page.next
        if count >= most or place is None:
            return min(count, most)


def _make(
    writes: Transaction, partner: Partner, contact: Contact, event: Event, now: Instant
) -> None:
    """Add a new partner under their mailbox; who has a login, takes it besides."""
    mailbox = mailbox_claim(partner)
    login = [login_claim(partner.login, partner.entity)] if partner.login else []
    index = _index(partner)
    writes.put(
        Table.CORE, partner.entity, "PROFILE", partner, index=index, condition=store.absent()
    )
    events.add(writes, event)
    people.add_contact(writes, partner.person, _with_claims(contact, [*login, mailbox]))
    taken = MailboxTakenError("this e-mail address is enrolled already")
    claims.add(writes, mailbox, now=now, error=taken)


def _take_login(writes: Transaction, partner: Partner, *, now: Instant) -> None:
    taken = AlreadyExistsError("this login is enrolled already")
    claims.add(writes, login_claim(partner.login, partner.entity), now=now, error=taken)


def _index(partner: Partner) -> dict[str, str]:
    if partner.status != "invited" or not partner.remind_at:
        return {}
    return {
        "gsi3pk": f"DUE#invite#{ids.shard(partner.id, INVITE_SHARDS)}",
        "gsi3sk": partner.remind_at,
    }


def _with_claims(contact: Contact, claimed: list[Claim]) -> Contact:
    return msgspec.structs.replace(contact, claims=[claim.pk for claim in claimed])
