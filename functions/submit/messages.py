"""What other systems may tell us, as it is signed: one shape for each type of message."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from introducer import money
from submit import facts, inputs
from submit.inputs import Input

MAX_ITEMS = 200

AmountMinor = Annotated[int, Meta(ge=1, le=money.MAX_MINOR)]
Product = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,31}$(?!\n)")]


class About(Input, frozen=True, kw_only=True):
    """Which referral: ours, or the sender's id for it. Both together tie them to each other."""

    referral: inputs.Word | None = None
    external_id: inputs.External | None = None


class Stage(About, frozen=True, kw_only=True):
    """The stage in the source's own words, and when it was reached."""

    stage: inputs.Line
    at: inputs.Time


class NewItem(Input, frozen=True, kw_only=True):
    """A line of the sale: what all its pieces cost together."""

    product: Product
    amount_minor: Annotated[int, Meta(ge=0, le=money.MAX_MINOR)]
    quantity: Annotated[int, Meta(ge=1, le=1_000_000)] = 1


class NewSale(About, frozen=True, kw_only=True):
    """What was bought. ``sale`` is the billing system's own id.

    ``items`` make up the amount exactly; ``metadata`` are fields the program declares.
    """

    sale: inputs.External
    amount_minor: AmountMinor
    currency: inputs.Currency
    occurred_at: inputs.Time
    product: Annotated[str, Meta(pattern=r"^([a-z][a-z0-9_]{0,31})?$(?!\n)")] = ""
    items: Annotated[list[NewItem], Meta(max_length=MAX_ITEMS)] = msgspec.field(
        default_factory=list
    )
    metadata: facts.Metadata = msgspec.field(default_factory=dict)


class NewEvent(About, frozen=True, kw_only=True):
    """An event of the program's own. ``id`` is the sender's; an amount has a currency."""

    event: Product
    id: inputs.External
    at: inputs.Time
    amount_minor: AmountMinor | None = None
    currency: inputs.Currency | None = None


class Refund(About, frozen=True, kw_only=True):
    """Part of a sale, or all of it, was paid back."""

    sale: inputs.External
    refund: inputs.External
    amount_minor: AmountMinor
    at: inputs.Time


class Gone(About, frozen=True, kw_only=True):
    """The customer left."""

    at: inputs.Time


class StageChanged(Input, frozen=True, kw_only=True, tag_field="type", tag="stage.changed"):
    """The CRM moved the opportunity."""

    data: Stage
    timestamp: inputs.Time | None = None


class SaleRecorded(Input, frozen=True, kw_only=True, tag_field="type", tag="sale.recorded"):
    """The billing system booked a sale."""

    data: NewSale
    timestamp: inputs.Time | None = None


class EventRecorded(Input, frozen=True, kw_only=True, tag_field="type", tag="event.recorded"):
    """Something happened that the program declares as an event."""

    data: NewEvent
    timestamp: inputs.Time | None = None


class SaleRefunded(Input, frozen=True, kw_only=True, tag_field="type", tag="sale.refunded"):
    """The billing system paid something back."""

    data: Refund
    timestamp: inputs.Time | None = None


class CustomerChurned(Input, frozen=True, kw_only=True, tag_field="type", tag="customer.churned"):
    """The customer is none any more."""

    data: Gone
    timestamp: inputs.Time | None = None


Message = StageChanged | SaleRecorded | EventRecorded | SaleRefunded | CustomerChurned
