"""What must be true of the books after every single write, told from the stored items alone.

:class:`Books` sees every commit of the store and keeps its own sums beside it. It shares no
arithmetic with the product: a journal is legs, a balance is their sum, and facts happen once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from introducer import ledger
from introducer.ledger import Journal
from introducer.tables import store
from introducer.tables.codec import decode
from tests.simulation.dynamodb import DynamoDB
from tests.simulation.storage import Write

ACCOUNTS = ("pending", "payable", "reserved", "in_transit", "paid", "receivable")
_ONCE = {
    "PayoutCreated": "created",
    "PayoutSubmitted": "submitted",
    "PayoutPaid": "paid",
    "PayoutReturned": "returned",
    "PayoutCancelled": "cancelled",
}
_PLACES = ("reserved", "in_transit", "paid")


class Violation(BaseException):
    """Something is true of the books that never may be."""


class Chain:
    """The books of one holder in one currency, as they were seen to grow."""

    __slots__ = ("accounts", "earned", "hash", "others", "posted_at", "reversed", "seq")

    def __init__(self) -> None:
        self.accounts = dict.fromkeys(ACCOUNTS, 0)
        self.seq = 0
        self.hash = ""
        self.posted_at = ""
        self.earned = 0
        self.reversed = 0
        self.others = 0
        """What came or went by neither rewards nor payouts: adjustments, openings, write-offs."""


class Books:
    """Sees every write and raises :class:`Violation` at the first that may not be.

    Args:
        latest: Says the latest instant that any clock may show now.
    """

    def __init__(self, latest: Callable[[], str]) -> None:
        self._latest = latest
        self.chains: dict[tuple[str, str], Chain] = {}
        self.rewards: dict[tuple[str, str], dict[str, Any]] = {}
        """Reward items of the Core table, as they stand."""
        self.moved: dict[tuple[str, str], dict[str, int]] = {}
        """Of each reward what journals earned, released and took back from either account."""
        self.facts: dict[str, set[str]] = {}
        """Of each payout's reference the facts that were booked."""
        self.places: dict[str, dict[str, int]] = {}
        """Of each payout's reference what lies where."""
        self.journals = 0

    def saw(self, writes: list[Write]) -> None:
        """Check what one commit has changed."""
        journals: list[dict[str, Any]] = []
        balances: dict[tuple[str, str], dict[str, Any]] = {}
        for write in writes:
            if write.before is write.after:
                continue
            pk, sk = write.key
            if pk.startswith("JOURNAL#"):
                if write.before is not None or write.after is None:
                    _violated("a journal was changed", pk)
                journals.append(store.item(write.after))
            elif sk.startswith("BALANCE#") and sk.count("#") == 1:
                if write.after is None:
                    _violated("a balance was removed", pk)
                balances[pk.partition("#")[2], sk.partition("#")[2]] = store.item(write.after)
            elif sk == "HALT" and write.after is not None:
                _violated("payouts were halted", decode(write.after["reason"]))
            elif sk.startswith("REWARD#"):
                if write.after is None:
                    _violated("a reward was removed", pk)
                self.rewards[write.key] = store.item(write.after)
            elif pk.startswith("BOOKING#"):
                _check_booking(write)
        if journals or balances:
            self._book(journals, balances)

    def _book(
        self, journals: list[dict[str, Any]], balances: dict[tuple[str, str], dict[str, Any]]
    ) -> None:
        for journal in sorted(journals, key=lambda each: each["seq"]):
            self._add(journal)
        named = {(each["partner"], each["currency"]) for each in journals}
        if named != balances.keys():
            _violated("journals and balances were not written together", named, set(balances))
        for key, balance in balances.items():
            self._agree(key, balance)

    def _add(self, journal: dict[str, Any]) -> None:
        self.journals += 1
        legs: dict[str, int] = journal["legs"]
        if len(legs) < 2 or sum(legs.values()):
            _violated("the legs do not add up to zero", journal)
        chain = self.chains.setdefault((journal["partner"], journal["currency"]), Chain())
        if (journal["seq"], journal["prev"]) != (chain.seq + 1, chain.hash):
            _violated("the chain is broken", journal)
        if journal["posted_at"] < chain.posted_at:
            _violated("a journal was booked before the one in front of it", journal)
        if ledger.journal_hash(msgspec.convert(journal, Journal)) != journal["hash"]:
            _violated("the hash is not the journal's", journal)
        chain.seq, chain.hash = journal["seq"], journal["hash"]
        chain.posted_at = journal["posted_at"]
        for name in ACCOUNTS:
            chain.accounts[name] += legs.get(name, 0)
        kind = journal["kind"]
        if kind.startswith("Reward") and "plan" in journal.get("refs", {}):
            self._move_reward(journal, chain)
        elif kind in _ONCE:
            self._move_payout(journal)
        else:
            chain.others += sum(legs.get(name, 0) for name in ACCOUNTS)

    def _move_reward(self, journal: dict[str, Any], chain: Chain) -> None:
        refs, legs, kind = journal["refs"], journal["legs"], journal["kind"]
        name = "#".join((refs["plan"], refs["milestone"], refs["occasion"], journal["partner"]))
        key = (f"REFERRAL#{refs['referral']}", f"REWARD#{name}")
        if key not in self.rewards:
            _violated("a reward's money moved before it was stored", journal)
        moved = self.moved.setdefault(key, {"pending": 0, "released": 0, "left": 0})
        amount_minor = journal["amount_minor"]
        if kind == "RewardEarned":
            moved["pending"] += amount_minor
            moved["left"] += amount_minor
            chain.earned += amount_minor
        elif kind == "RewardReleased":
            if self.rewards[key]["due_at"] > self._latest():
                _violated("released before it was due", journal, self.rewards[key]["due_at"])
            moved["pending"] -= amount_minor
            moved["released"] += amount_minor
        elif kind == "RewardReversed":
            moved["pending" if "pending" in legs else "released"] -= amount_minor
            moved["left"] -= amount_minor
            chain.reversed += amount_minor
        if min(moved.values()) < 0:
            _violated("more of a reward was moved than there was", journal, moved)

    def _move_payout(self, journal: dict[str, Any]) -> None:
        reference = journal["refs"]["payout"]
        fact = _ONCE[journal["kind"]]
        known = self.facts.setdefault(reference, set())
        if fact in known:
            _violated(f"{fact} twice", journal)
        known.add(fact)
        places = self.places.setdefault(reference, dict.fromkeys(_PLACES, 0))
        for name in _PLACES:
            places[name] += journal["legs"].get(name, 0)
        if min(places.values()) < 0 or sum(value > 0 for value in places.values()) > 1:
            _violated("a payout's money is in no one place", journal, places)

    def _agree(self, key: tuple[str, str], balance: dict[str, Any]) -> None:
        chain = self.chains.get(key, Chain())
        stored = {name: balance.get(name, 0) for name in ACCOUNTS}
        if stored != chain.accounts:
            _violated("a balance is not the fold of its journals", stored, chain.accounts)
        if (balance["version"], balance["head"]) != (chain.seq, chain.hash):
            _violated("a balance does not end its chain", balance)
        if any(stored[name] < 0 for name in ACCOUNTS[:-1]) or stored["receivable"] > 0:
            _violated("an account is on the wrong side of zero", balance)
        if stored["payable"] and stored["receivable"]:
            _violated("payable and receivable stand open side by side", balance)

    def check_all(self, dynamodb: DynamoDB, core: str, books: str) -> None:
        """Compare everything stored with itself and with what was seen."""
        pending: dict[tuple[str, str], int] = {}
        for key, raw in dynamodb.everything(core):
            if not key[1].startswith("REWARD#"):
                continue
            reward = store.item(raw)
            left = reward["amount_minor"] - reward.get("reversed_minor", 0)
            if left != self.moved.get(key, {"left": 0})["left"]:
                _violated("a reward is not what its journals say", reward, self.moved.get(key))
            if reward.get("status", "pending") == "pending":
                account = reward["partner"], reward["currency"]  # cash: its unit is its currency
                pending[account] = pending.get(account, 0) + left
        self._check_ledger(dynamodb, books, pending)

    def _check_ledger(
        self, dynamodb: DynamoDB, books: str, pending: dict[tuple[str, str], int]
    ) -> None:
        sums: dict[tuple[str, str], dict[str, int]] = {}
        counts: dict[tuple[str, str], int] = {}
        held: dict[tuple[str, str], dict[str, int]] = {}
        where = {"created": "reserved", "in_transit": "in_transit", "paid": "paid"}
        for (pk, _), raw in dynamodb.everything(books):
            if pk.startswith("JOURNAL#"):
                item = store.item(raw)
                key = item["partner"], item["currency"]
                counts[key] = counts.get(key, 0) + 1
                legs = sums.setdefault(key, dict.fromkeys(ACCOUNTS, 0))
                for name in ACCOUNTS:
                    legs[name] += item["legs"].get(name, 0)
            elif pk.startswith("PAYOUT#"):
                item = store.item(raw)
                key = item["partner"], item["currency"]
                if item["status"] in where:
                    place = held.setdefault(key, dict.fromkeys(_PLACES, 0))
                    place[where[item["status"]]] += item["amount_minor"]
        for key, chain in self.chains.items():
            if sums[key] != chain.accounts or counts[key] != chain.seq:
                _violated("the journals do not add up to the balance", key, sums[key])
            if pending.get(key, 0) != chain.accounts["pending"]:
                _violated("pending is not what the rewards say", key, pending.get(key, 0))
            for name, amount_minor in held.get(key, dict.fromkeys(_PLACES, 0)).items():
                if chain.accounts[name] != amount_minor:
                    _violated(f"{name} is not what the payouts say", key, amount_minor)

    def check_nothing_lost(self) -> None:
        """Compare what was earned with where it is: every cent is in one account."""
        for key, chain in self.chains.items():
            there = sum(chain.accounts.values())
            if chain.earned - chain.reversed + chain.others + self._withheld(key) != there:
                _violated("money is lost or made", key, chain.earned, chain.reversed, there)

    def _withheld(self, _key: tuple[str, str]) -> int:
        return 0  # the simulated program withholds no tax

    def statuses(self) -> Iterator[tuple[str, set[str]]]:
        """Yield every payout's reference with the facts that were booked of it."""
        yield from self.facts.items()


def _check_booking(write: Write) -> None:
    if write.before is None:
        return
    before = store.item(write.before)
    after = store.item(write.after) if write.after else {}
    told = ("status", "fact", "reference", "batch", "amount_minor", "currency", "booked_on")
    if before["status"] == "matched" and any(before.get(n) != after.get(n) for n in told):
        _violated("a booking that was taken in was changed", before, after)


def _violated(what: str, *details: object) -> None:
    raise Violation(f"{what}: {'; '.join(str(each) for each in details)}")
