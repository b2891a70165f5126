"""What the bank says becomes what the books say, once, and nothing of it is dropped."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations

import pytest

from introducer.bank.pain001 import amounts_in
from introducer.clients import client
from introducer.errors import InvalidInputError, NotFoundError
from introducer.payout import reference
from introducer.settings import setting
from introducer.settlement import Booking
from introducer.tables import payouts
from introducer.tables.store import Table
from payout import files, members, settle, statements
from tests.support import money
from tests.support.bank_files import notification, status_report
from tests.support.money import NOW, booking, take


@pytest.fixture
def sent(engine: str, frozen: Callable[[str], None]) -> str:
    """25.00 to Pia and 10.00 to Quin have gone to the bank; returns the batch."""
    assert engine
    assert frozen
    money.publish()
    money.enrol("pia")
    money.enrol("quin", email_key="key-quin")
    money.sell("r1")
    money.sell("r2", 40_000, shares={"quin": 10_000}, lead_key="other")
    money.deliver("r1", "r2")
    money.release()
    return money.pay_out(until="finish")


def report(batch: str, *, status: str, partner: str = "", reason: str = "") -> bytes:
    """Return a pain.002 about a file, or about one transfer of it."""
    why = f"<StsRsnInf><Rsn><Cd>{reason}</Cd></Rsn></StsRsnInf>" if reason else ""
    group = f"<OrgnlMsgId>{batch}</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId>"
    if not partner:
        return status_report(
            f"<OrgnlGrpInfAndSts>{group}<GrpSts>{status}</GrpSts>{why}</OrgnlGrpInfAndSts>"
        )
    return status_report(
        f"<OrgnlGrpInfAndSts>{group}<GrpSts>PART</GrpSts></OrgnlGrpInfAndSts>"
        f"<OrgnlPmtInfAndSts><OrgnlPmtInfId>{batch}</OrgnlPmtInfId><TxInfAndSts>"
        f"<OrgnlEndToEndId>{reference(batch, partner)}</OrgnlEndToEndId>"
        f"<TxSts>{status}</TxSts>{why}</TxInfAndSts></OrgnlPmtInfAndSts>"
    )


def take_report(content: bytes) -> None:
    """Take in a pain.002."""
    settle.take_file(content, "inbox/pain-1.xml", now=NOW)


def statuses(batch: str) -> dict[str, str]:
    """Return the status of a batch's payouts by partner."""
    return {each.partner: each.status for each in payouts.of_batch(batch)}


def problems() -> list[str]:
    """Return why each unmatched booking is one."""
    return [each.problem for each in payouts.unmatched()]


def test_settle_reads_the_object_it_is_told_of(sent: str) -> None:
    """The notification's key is URL-encoded; the file is taken in and the batch settled."""
    content = notification(
        booking(reference(sent, "pia"), 2_500), booking(reference(sent, "quin"), 1_000)
    )
    client("s3").put_object(Bucket=setting("BANK_BUCKET"), Key="inbox/camt 054+1.xml", Body=content)
    event = {"Records": [{"s3": {"object": {"key": "inbox/camt+054%2B1.xml"}}}]}

    settle.handler(event, money.CONTEXT)
    settle.handler(event, money.CONTEXT)

    assert {"pending": 7_500, "paid": 2_500} == money.accounts("pia")
    assert {"pending": 3_000, "paid": 1_000} == money.accounts("quin")
    assert "settled" == money.the_batch(sent).status
    assert "BatchSettled" == payouts.batch_events(sent)[-1].type
    assert ["PayoutPaid"] * 2 == [
        each["kind"] for each in money.everything(Table.LEDGER) if each.get("kind") == "PayoutPaid"
    ]


def test_settle_of_a_missing_object_is_an_error(sent: str) -> None:
    """A notification about nothing ends in the failure queue."""
    assert sent

    with pytest.raises(NotFoundError):
        settle.handler({"Records": [{"s3": {"object": {"key": "inbox/none.xml"}}}]}, money.CONTEXT)


@pytest.mark.parametrize("content", [b"", b"<a/>", b"PK\x03\x04", b"<Document/>"])
def test_settle_of_another_file_stores_nothing(sent: str, content: bytes) -> None:
    """What is no bank file is refused whole."""
    assert sent
    before = money.everything(Table.LEDGER)

    with pytest.raises(InvalidInputError):
        settle.take_file(content, "inbox/x", now=NOW)
    assert before == money.everything(Table.LEDGER)


def test_settle_pays_what_was_booked_and_waits_for_the_rest(sent: str) -> None:
    """One of two debits: that payout is paid, the batch is not settled."""
    take(booking(reference(sent, "pia"), 2_500))

    assert {"pia": "paid", "quin": "in_transit"} == statuses(sent)
    assert "in_transit" == money.the_batch(sent).status
    (paid, *_) = [each for each in payouts.of_batch(sent) if each.partner == "pia"]
    assert "2026-11-24" == paid.booked_on


def test_settle_of_the_same_booking_in_another_file_is_nothing_new(sent: str) -> None:
    """The bank reports a booking again, in a file of another name: paid once."""
    take(booking(reference(sent, "pia"), 2_500), name="camt-1.xml")
    before = money.everything(Table.LEDGER)

    take(booking(reference(sent, "pia"), 2_500), name="camt-2.xml")

    assert before == money.everything(Table.LEDGER)


def test_settle_of_one_booking_for_the_whole_file(sent: str) -> None:
    """The bank books the batch as one amount: everybody in it is paid."""
    whole = booking("", 3_500, batch_id=sent)

    take(whole)
    take(whole)

    assert {"pia": "paid", "quin": "paid"} == statuses(sent)
    assert "settled" == money.the_batch(sent).status
    assert [] == problems()


def test_settle_of_a_whole_booking_goes_on_where_it_was_interrupted(
    sent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process died after the first payout of a whole-file booking."""
    content = notification(booking("", 3_500, batch_id=sent))
    (whole,) = statements.read(content, "f", NOW).bookings
    real = settle.take
    taken: list[Booking] = []

    def take_first(part: Booking, *, now: str) -> None:
        taken.append(part)
        if len(taken) > 1:
            raise KeyboardInterrupt
        real(part, now=now)

    monkeypatch.setattr(settle, "take", take_first)
    with pytest.raises(KeyboardInterrupt):
        settle._take_all(whole, None, NOW)
    monkeypatch.setattr(settle, "take", real)
    assert 1 == list(statuses(sent).values()).count("paid")

    settle.take(whole, now=NOW)

    assert {"pia": "paid", "quin": "paid"} == statuses(sent)
    assert [] == problems()


@pytest.mark.parametrize("amount_minor", [2_499, 2_501])
def test_settle_of_another_amount_is_listed(sent: str, amount_minor: int) -> None:
    """A cent less or more moves nothing and waits for a person."""
    take(booking(reference(sent, "pia"), amount_minor))
    take(booking("", 3_501, batch_id=sent))

    assert {"pia": "in_transit", "quin": "in_transit"} == statuses(sent)
    assert ["amount_differs"] * 2 == problems()


def test_settle_of_an_unknown_reference_is_listed_once(sent: str) -> None:
    """Somebody else's money, or a mistyped reference: listed, counted, never dropped."""
    assert sent
    for _ in range(2):
        take(booking("PUNKNOWN", 100), booking("", 200))

    assert ["nothing_in_transit", "unknown_reference"] == sorted(problems())


def test_settle_tries_the_unmatched_again(sent: str) -> None:
    """A debit told before its refund was undone is matched when it fits at last."""
    take(booking("", 2_500, batch_id=sent))  # the bank booked without Quin's transfer
    assert ["amount_differs"] == problems()

    take_report(report(sent, status="RJCT", partner="quin", reason="AC04"))
    assert 0 == settle.retry_unmatched(now=NOW)

    assert {"pia": "paid", "quin": "returned"} == statuses(sent)
    assert "settled" == money.the_batch(sent).status


def test_settle_notes_what_the_bank_accepted(sent: str) -> None:
    """Accepted is not paid: it is noted and moves nothing."""
    take_report(report(sent, status="ACCP"))

    assert {"pia": "in_transit", "quin": "in_transit"} == statuses(sent)
    assert [("noted", "matched", "ACCP")] == [
        (each.fact, each.status, each.reason) for each in payouts.bookings_of(sent)
    ]


def test_settle_gives_back_what_the_bank_refused(sent: str) -> None:
    """One transfer is refused with its reason; the other goes on and settles the batch."""
    refusal = report(sent, status="RJCT", partner="quin", reason="AC04")
    take_report(refusal)
    take_report(refusal)

    assert {"pending": 3_000, "payable": 1_000} == money.accounts("quin")
    assert ("RewardReleased", "PayoutCreated", "PayoutSubmitted", "PayoutReturned") == tuple(
        str(each.kind) for each in money.journals("quin")[-4:]
    )
    assert "AC04" == money.journals("quin")[-1].reason
    take(booking(reference(sent, "pia"), 2_500))
    assert "settled" == money.the_batch(sent).status


def test_settle_gives_everything_back_when_the_file_was_refused(sent: str) -> None:
    """The whole file is refused: everybody's money is payable and goes into the next run."""
    take_report(report(sent, status="RJCT", reason="FF01"))

    assert {"pia": "returned", "quin": "returned"} == statuses(sent)
    assert {"pending": 7_500, "payable": 2_500} == money.accounts("pia")
    again = money.pay_out(2, until="finish")
    money.debit(again)
    assert {"pending": 7_500, "paid": 2_500} == money.accounts("pia")


@pytest.mark.parametrize(
    ("status", "reason", "problem"),
    [("RJCT", "DUPL", "duplicate"), ("XXXX", "", "unknown_status")],
)
def test_settle_never_gives_back_on_a_doubtful_answer(
    sent: str, status: str, reason: str, problem: str
) -> None:
    """Refused as a duplicate means the bank has the first one: a person must ask."""
    take_report(report(sent, status=status, reason=reason))
    settle.retry_unmatched(now=NOW)

    assert {"pia": "in_transit", "quin": "in_transit"} == statuses(sent)
    assert [problem] == problems()


def test_settle_lists_an_answer_about_a_file_that_is_not_ours(sent: str) -> None:
    """An accepted file we never sent is somebody's mistake."""
    assert sent

    take_report(report("notours", status="ACCP"))

    assert ["unknown_batch"] == problems()


def test_settle_takes_a_late_return_back_into_payable(sent: str) -> None:
    """Days after it was paid, even after the batch was settled, the money comes back."""
    money.debit(sent)
    assert "settled" == money.the_batch(sent).status

    take(booking(reference(sent, "pia"), 2_500, returned="MD07"), name="camt-9.xml")

    assert {"pending": 7_500, "payable": 2_500} == money.accounts("pia")
    last = money.journals("pia")[-1]
    assert ("PayoutReturned", "MD07", "2026-11-26T00:00:00.000Z", NOW) == (
        last.kind,
        last.reason,
        last.at,
        last.posted_at,
    )
    assert "settled" == money.the_batch(sent).status


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_settle_in_any_order_ends_the_same(sent: str, order: tuple[int, ...]) -> None:
    """Acceptance, debit and return may arrive in any order, each twice."""
    files_in = [
        report(sent, status="ACCP"),
        notification(booking(reference(sent, "pia"), 2_500)),
        notification(booking(reference(sent, "pia"), 2_500, returned="AC04"), note="NOTE-2"),
    ]

    for _ in range(2):
        for index in order:
            settle.take_file(files_in[index], f"inbox/{index}", now=NOW)

    (pia, *_) = [each for each in payouts.of_batch(sent) if each.partner == "pia"]
    assert ("returned", "2026-11-24", "2026-11-26") == (pia.status, pia.booked_on, pia.returned_on)
    assert {"pending": 7_500, "payable": 2_500} == money.accounts("pia")
    assert [] == problems()


def test_settle_never_pays_what_was_refused(sent: str) -> None:
    """A debit of a transfer that the bank had refused is listed: the two cannot both be."""
    take_report(report(sent, status="RJCT", partner="pia", reason="AC04"))

    take(booking(reference(sent, "pia"), 2_500))

    assert {"pending": 7_500, "payable": 2_500} == money.accounts("pia")
    assert ["payout_is_returned"] == problems()


def test_settle_notes_money_that_came_in_for_another_reason(sent: str) -> None:
    """A customer paid into the same account: no payout of ours, no alarm."""
    incoming = booking("", 9_900, on="2026-11-25").replace("DBIT", "CRDT")

    take(incoming)

    assert [] == problems()
    assert {"pia": "in_transit", "quin": "in_transit"} == statuses(sent)


def test_settle_of_an_answer_before_the_last_step(sent: str) -> None:
    """The bank is quicker than our last step: the batch settles when the step is done."""
    name = sent
    money.debit(name)
    assert "settled" == money.the_batch(name).status

    members.settle_if_done(name, now=NOW)

    assert "settled" == money.the_batch(name).status
    assert 5 == len(payouts.batch_events(name))


def test_settle_reads_back_exactly_what_the_file_orders(sent: str) -> None:
    """Reconciliation sees in the file the very payouts that are in transit."""
    content = files.read(files.order_key(payouts.get_batch(sent))) or b""

    assert {
        reference(sent, "pia"): 2_500,
        reference(sent, "quin"): 1_000,
    } == amounts_in(content, "EUR")
