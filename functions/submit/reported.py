"""Whether what a message reports can be: currencies, products, events and stages of the program."""

from __future__ import annotations

from introducer import money, paying
from introducer.clock import Instant
from introducer.command import RecordEvent
from introducer.errors import InvalidInputError
from introducer.program import Program
from introducer.referral import Item, Sale
from submit import facts
from submit.messages import (
    EventRecorded,
    Message,
    NewEvent,
    NewSale,
    SaleRecorded,
    Stage,
    StageChanged,
)


def check(document: Program, source: str, message: Message, at: Instant) -> None:
    """Refuse a message that no referral of the program could take.

    Raises:
        InvalidInputError: It says something the program does not know.
        SeveralFaultsError: Fields of a sale that it does not declare.
    """
    match message:
        case SaleRecorded(data=data):
            check_sale(document, sale(document, source, data, at), data)
        case EventRecorded(data=data):
            check_event(document, event(document, data, at))
        case StageChanged(data=data):
            stage(document, source, data)
        case _:
            pass


def sale(document: Program, source: str, data: NewSale, at: Instant) -> Sale:
    """Return the sale a message reports.

    Raises:
        SeveralFaultsError: ``unknown_metadata`` or ``invalid_metadata``.
    """
    return Sale(
        id=data.sale,
        amount_minor=data.amount_minor,
        currency=data.currency,
        occurred_at=at,
        source=source,
        product=data.product,
        items=[
            Item(product=each.product, amount_minor=each.amount_minor, quantity=each.quantity)
            for each in data.items
        ],
        facts=facts.of_metadata(document, data.metadata),
    )


def check_sale(document: Program, reported: Sale, data: NewSale) -> None:
    """Refuse a sale that is not in one currency the program pays, or does not add up.

    Raises:
        InvalidInputError: ``wrong_currency``, ``no_exchange_rate``, ``mixed_currencies``,
            ``unknown_product`` or ``items_do_not_add_up``.
    """
    _check_currency(document, reported.currency)
    _check_items(document, data)


def event(document: Program, data: NewEvent, at: Instant) -> RecordEvent:
    """Return the event a message reports.

    Raises:
        InvalidInputError: ``unknown_event``, ``unexpected_amount`` or ``missing_field``.
    """
    declared = document.events.get(data.event)
    if declared is None:
        raise InvalidInputError("event", "the program has no such event", code="unknown_event")
    if not declared.amount and (data.amount_minor or data.currency):
        raise InvalidInputError(
            "amount_minor", "this event has no amount", code="unexpected_amount"
        )
    for field in ("amount_minor", "currency") if declared.amount else ():
        if getattr(data, field) is None:
            raise InvalidInputError(field, "this event has one", code="missing_field")
    return RecordEvent(
        event=data.event,
        id=data.id,
        at=at,
        amount_minor=data.amount_minor or 0,
        currency=data.currency or "",
    )


def check_event(document: Program, reported: RecordEvent) -> None:
    """Refuse an event whose amount is in a currency the program does not pay.

    Raises:
        InvalidInputError: ``wrong_currency`` or ``no_exchange_rate``.
    """
    if reported.currency:
        _check_currency(document, reported.currency)


def stage(document: Program, source: str, data: Stage) -> str:
    """Return our stage for the source's word: by its map, else the word itself.

    Raises:
        InvalidInputError: ``unknown_stage``.
    """
    words = document.stage_map.get(source) or {}
    ours = words.get(data.stage, "" if words else data.stage)
    if ours not in {*document.stages, "accepted", "won", "lost"}:
        raise InvalidInputError("stage", "the program has no such stage", code="unknown_stage")
    return ours


def _check_currency(document: Program, currency: str) -> None:
    money.exponent(currency)
    pays = paying.pays(document, currency)
    if not pays and (document.payouts or currency != document.currency):
        raise InvalidInputError(
            "currency", "the program does not pay in this currency", code="wrong_currency"
        )
    if currency != document.currency:
        from introducer import comparison  # 15 ms, only for a foreign currency
        from introducer.earning.rules import rules_of

        missing = comparison.missing_rates(rules_of(document), currency)
        if missing:
            message = f"the program has no rate to {', '.join(missing)}"
            raise InvalidInputError("currency", message, code="no_exchange_rate")


def _check_items(document: Program, data: NewSale) -> None:
    for place, item in enumerate(data.items):
        if item.product not in document.products:
            field = f"items[{place}].product"
            raise InvalidInputError(field, "no such product", code="unknown_product")
        if item.currency not in {None, data.currency}:
            field = f"items[{place}].currency"
            raise InvalidInputError(
                field, "a sale has one currency; send one for each", code="mixed_currencies"
            )
    total_minor = sum(item.amount_minor for item in data.items)
    if data.items and total_minor != data.amount_minor:
        message = f"the items make {total_minor}, not {data.amount_minor}"
        raise InvalidInputError("items", message, code="items_do_not_add_up")
