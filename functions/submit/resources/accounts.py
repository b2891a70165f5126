"""The company's own lists: customers, open opportunities, named accounts.

Whom they name comes in by address, number, domain or id and is kept as keyed hashes only.
"""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from introducer.account import KINDS
from introducer.tables import accounts, programs
from submit import accounts as lists
from submit.accounts import NewAccount
from submit.acting import MANAGER, READERS
from submit.http import Answer, Call, Resource
from submit.inputs import Input

MOST_IN_A_CALL = 100

resource = Resource(__name__)


class NewAccounts(Input, frozen=True, kw_only=True):
    """Entries to add, replace or remove; the others stay as they are."""

    accounts: Annotated[list[NewAccount], Meta(min_length=1, max_length=MOST_IN_A_CALL)]


class AccountsTaken(msgspec.Struct, frozen=True, kw_only=True):
    """How many entries were new, changed, removed, or said what was known."""

    listed: int
    changed: int
    removed: int
    known: int


class WhichList(Input, frozen=True, kw_only=True):
    """One list, or all of them."""

    kind: Literal["", "customer", "open", "named"] = ""


class ListSize(msgspec.Struct, frozen=True, kw_only=True):
    """How many keys of one kind are on a list; one account may be known by several keys."""

    kind: str
    by: str
    count: int


class Lists(msgspec.Struct, frozen=True, kw_only=True):
    """How long the lists are. Whom they name cannot be read back."""

    lists: list[ListSize]
    total: int


@resource.endpoint(
    "PUT",
    "/v1/programs/{program}/accounts",
    roles=MANAGER,
    body=NewAccounts,
    answer=AccountsTaken,
    codes=(
        "invalid_accounts",
        "invalid_email",
        "invalid_phone",
        "invalid_domain",
        "public_domain",
        "invalid_time",
        "unknown_rep",
        "no_source",
        "no_key",
        "given_twice",
    ),
)
def put_accounts(call: Call[NewAccounts, Any]) -> Answer:
    """Add customers, open opportunities and named accounts, or take them off; up to 100 at once.

    Sent again, the same entries change nothing; so a call whose answer was lost is repeated.
    """
    version = programs.current(call.path["program"], call.now)
    done: Counter[str] = Counter(
        lists.take(version, call.body.accounts, now=call.now, actor=call.caller.name)
    )
    return Answer(
        body=AccountsTaken(
            listed=done["listed"],
            changed=done["changed"],
            removed=done["removed"],
            known=done["known"],
        )
    )


@resource.endpoint(
    "GET",
    "/v1/programs/{program}/accounts",
    roles=READERS,
    query=WhichList,
    answer=Lists,
)
def count_accounts(call: Call[Any, WhichList]) -> Answer:
    """Count what is on the company's lists, by list and kind of key."""
    version = programs.current(call.path["program"], call.now)
    wanted = [call.query.kind] if call.query.kind else list(KINDS)
    sizes = [
        ListSize(kind=key.key, by=key.by, count=count)
        for key, count in accounts.count(version.program).items()
        if key.key in wanted
    ]
    return Answer(body=Lists(lists=sizes, total=sum(each.count for each in sizes)))
