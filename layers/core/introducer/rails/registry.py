"""Which rail a method is. Each is imported when it is asked for."""

from __future__ import annotations

from introducer.errors import NotFoundError
from introducer.rails.rail import CallRail, FileRail


def file_rail(method: str) -> FileRail:
    """Return the rail of a method that writes one file a batch.

    Raises:
        NotFoundError: The method is none of these.
    """
    if method in {"sepa", "wire"}:
        from introducer.rails.transfer import CreditTransfer

        return CreditTransfer(method)
    if method == "ach":
        from introducer.rails.ach import AchCredit

        return AchCredit()
    if method == "payroll":
        from introducer.rails.payroll import PayrollExport

        return PayrollExport()
    message = "no file is written for this method"
    raise NotFoundError(message, method=method)


def call_rail(method: str) -> CallRail:
    """Return the rail of a method on which every payment is a call.

    Raises:
        NotFoundError: The method is none of these.
    """
    if method == "stripe":
        from introducer.rails.stripe import Stripe

        return Stripe()
    if method == "paypal":
        from introducer.rails.paypal import PayPal

        return PayPal()
    if method in {"gift_card", "points", "credit"}:
        from introducer.rails.fulfil import Fulfilment

        return Fulfilment(method)
    message = "this method is no call"
    raise NotFoundError(message, method=method)
