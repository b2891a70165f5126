"""Credit transfers of European banks as a rail: SEPA, and wires for everything else."""

from __future__ import annotations

from introducer import money
from introducer.bank import pain001
from introducer.bank.order import MAX_SEPA_MINOR, CreditTransferFile, Debtor, Transfer, check
from introducer.bank.pain001 import amounts_in
from introducer.rails.rail import Order, Payment


class CreditTransfer:
    """ISO 20022 ``pain.001.001.09``; ``sepa`` or ``wire``."""

    extension = "xml"
    media = "application/xml"

    def __init__(self, method: str) -> None:
        self._method = method
        self.most_minor = MAX_SEPA_MINOR if method == "sepa" else money.MAX_MINOR

    def check(self, order: Order) -> None:
        """Refuse what a bank would refuse; see :meth:`FileRail.check`."""
        check(self._file(order))

    def write(self, order: Order) -> bytes:
        """Return the ``pain.001`` document; see :meth:`FileRail.write`."""
        return pain001.write(self._file(order))

    def amounts_in(self, content: bytes, currency: str) -> dict[str, int]:
        """Return the amount by reference that a file orders in *currency*."""
        return amounts_in(content, currency)

    def _file(self, order: Order) -> CreditTransferFile:
        debtor = order.rule.debtor
        assert debtor is not None  # noqa: S101  (checked when the program was published)
        return CreditTransferFile(
            message_id=order.batch,
            created_at=order.created_at,
            requested_date=order.requested_date,
            debtor=Debtor(
                name=debtor.name,
                iban=debtor.iban,
                bic=debtor.bic,
                town=debtor.address.town,
                country=debtor.address.country,
            ),
            currency=order.currency,
            method=self._method,
            transfers=tuple(_transfer(each) for each in order.payments),
        )


def _transfer(payment: Payment) -> Transfer:
    payee = payment.payee
    assert payee is not None  # noqa: S101  (nobody without an account is in such an order)
    return Transfer(
        reference=payment.reference,
        amount_minor=payment.amount_minor,
        currency=payment.currency,
        name=payee.name,
        iban=payee.iban,
        bic=payee.bic,
        town=payee.town,
        country=payee.country,
        remittance=payment.text,
    )
