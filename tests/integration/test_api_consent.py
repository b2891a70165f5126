"""A lead takes back their consent: the referral ends, and nobody is shown how to reach them."""

from __future__ import annotations

from typing import Any

import pytest

from introducer.command import Assign, Clear, Win
from introducer.referral import Sale, Share
from introducer.tables import people, referrals
from introducer.tables.people import Contact
from introducer.tables.store import Transaction
from tests.support import life
from tests.support.api import call, login
from tests.support.tables import everything

ANNA, BEN, MANAGER = login("login-anna", "rep"), login("login-ben", "rep"), login("m", "manager")
OWN = "/v1/rep/referrals/r1"
NOTHING = {"name": "", "email": "", "phone": "", "company": "", "note": "", "locale": ""}

pytestmark = pytest.mark.usefixtures("aws", "frozen")


@pytest.fixture(autouse=True)
def lead(aws: None) -> None:  # noqa: ARG001  (pytest orders fixtures by it)
    """Lena, whom Pia referred and Anna looks after."""
    life.publish()
    life.enrol("pia")
    life.add_rep("anna")
    life.add_rep("ben")
    made = life.submit("r1")
    writes = Transaction()
    referrals.add_share(
        writes, made, Share(partner="pia", basis_points=10_000, audience="partners")
    )
    people.add_contact(writes, made.lead, Contact(name="Lena Lead", email="lena@lead.example"))
    writes.commit()
    life.move("r1", Clear(partner="pia", audience="partners"))
    life.move("r1", Assign(rep="anna"))


def withdraw(path: str = OWN, claims: dict[str, str] = ANNA, key: str = "", **body: Any) -> Any:
    """Say that the lead told by phone."""
    return call("POST", f"{path}/withdraw", {"channel": "phone", **body}, claims=claims, key=key)


@pytest.mark.parametrize(
    ("path", "claims"), [(OWN, ANNA), ("/v1/programs/acme/referrals/r1", MANAGER)]
)
def test_withdrawal_ends_the_referral_and_hides_the_lead(path: str, claims: dict[str, str]) -> None:
    """Rep or manager: the rep sees neither name nor address any more; the partner sees why."""
    assert "Lena Lead" == call("GET", OWN, claims=ANNA).body["contact"]["name"]
    assert {"id": "r1", "status": "withdrawn"} == withdraw(path, claims).body
    assert NOTHING == call("GET", OWN, claims=ANNA).body["contact"]
    (row,) = call("GET", "/v1/rep/referrals", claims=ANNA).body["items"]
    assert ("withdrawn", "", "") == (row["status"], row["name"], row["company"])
    mine = call("GET", "/v1/me/referrals/r1", claims=login("login-pia")).body
    assert ("withdrawn", "The lead does not want to be contacted.") == (
        mine["status"],
        mine["timeline"][-1]["reason"]["text"],
    )


def test_withdrawal_is_kept_with_time_and_channel() -> None:
    """Beside the consent that was given; it earns nobody anything."""
    withdraw(channel="letter")
    (touch,) = [each for each in referrals.detail("r1").touches if each.kind == "consent"]
    assert ("2026-11-22T11:17:00.000Z", "", {"consent": "withdrawn", "channel": "letter"}) == (
        touch.at,
        touch.partner,
        touch.data,
    )


def test_withdrawal_sent_twice_is_one() -> None:
    """The same key gives the same answer; another one finds it done."""
    withdraw(key="withdrawal-1")
    before = everything()
    assert "true" == withdraw(key="withdrawal-1").headers["idempotent-replayed"]
    assert (409, "transition_not_allowed") == withdraw().problem()
    assert before == everything()


def test_withdrawal_by_others_or_of_a_customer_is_refused() -> None:
    """Another rep's lead and another program's are none; a customer has a contract."""
    before = everything()
    assert (404, "not_found") == withdraw(claims=BEN).problem()
    assert (404, "not_found") == withdraw("/v1/programs/other/referrals/r1", MANAGER).problem()
    assert (400, "invalid_input", "channel") == withdraw(channel="x").field()
    assert before == everything()
    sale = Sale(id="s", amount_minor=1, currency="EUR", occurred_at=life.NOW, source="billing")
    life.move("r1", Win(sale=sale))
    assert (409, "transition_not_allowed") == withdraw().problem()
