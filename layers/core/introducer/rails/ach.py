"""ACH credits as a rail: dollars to accounts in the United States, by NACHA file."""

from __future__ import annotations

from introducer.bank import nacha
from introducer.errors import InvalidInputError
from introducer.rails.rail import Order, Payment


class AchCredit:
    """NACHA files with ``PPD`` entries for people and ``CCD`` entries for companies.

    A payment's text is not sent: the payee's statement shows the originator's name.
    """

    extension = "ach"
    media = "text/plain"
    most_minor = nacha.MAX_ENTRY_MINOR

    def check(self, order: Order) -> None:
        """Refuse what a bank would refuse; see :meth:`FileRail.check`."""
        nacha.check(_file(order))

    def write(self, order: Order) -> bytes:
        """Return the NACHA file; see :meth:`FileRail.write`."""
        return nacha.write(_file(order))

    def amounts_in(self, content: bytes, currency: str) -> dict[str, int]:
        """Return the amount by reference that a file orders in *currency*."""
        return nacha.amounts_in(content, currency)


def _file(order: Order) -> nacha.AchFile:
    originator = order.rule.originator
    assert originator is not None  # noqa: S101  (checked when the program was published)
    for index, payment in enumerate(order.payments):
        if payment.currency != nacha.CURRENCY:
            field = f"payments[{index}].currency"
            raise InvalidInputError(field, "not US dollars", code="invalid_payment")
    return nacha.AchFile(
        batch=order.batch,
        created_at=order.created_at,
        requested_date=order.requested_date,
        originator=originator,
        entries=tuple(_entry(each) for each in order.payments),
    )


def _entry(payment: Payment) -> nacha.Entry:
    payee = payment.payee
    assert payee is not None  # noqa: S101  (nobody without an account is in such an order)
    return nacha.Entry(
        reference=payment.reference,
        amount_minor=payment.amount_minor,
        name=payee.name,
        routing=payee.routing,
        account=payee.account,
        account_type=payee.account_type,
        company=payee.holder_type == "company",
    )
