"""What other systems may tell us, as it is signed: one shape for each type of message."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from introducer import card, clickid, money
from submit import facts, inputs
from submit.inputs import Input

MAX_ITEMS = 200

AmountMinor = Annotated[int, Meta(ge=1, le=money.MAX_MINOR)]
Product = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,31}$(?!\n)")]


class NewLead(Input, frozen=True, kw_only=True):
    """Who it is about, for the case that nobody referred them yet."""

    name: inputs.Line | None = None
    country: inputs.Country | None = None
    company: Annotated[str, Meta(max_length=200, pattern=inputs.LINE_OR_EMPTY)] = ""
    phone: inputs.Phone = ""
    product: Annotated[str, Meta(pattern=r"^([a-z][a-z0-9_]{0,31})?$(?!\n)")] = ""
    locale: inputs.Locale = "en"


class About(Input, frozen=True, kw_only=True):
    """Which referral: any one of these is enough, and the first known one decides.

    ``referral`` is our id and ``external_id`` the sender's own for the customer or the
    opportunity, which is tied to the referral once both are known. ``email`` is the customer's
    address, ``click`` the click id their browser brought along, ``code`` the link code they
    typed. ``lead`` serves to make a referral when there is none.

    What cannot be a click id or a code is dropped as soon as it is read: both are kept with the
    message, and people type anything into such a box, their address too.
    """

    referral: inputs.Word | None = None
    external_id: inputs.External | None = None
    email: inputs.Email | None = None
    click: Annotated[str, Meta(min_length=1, max_length=64)] | None = None
    code: Annotated[str, Meta(min_length=1, max_length=32)] | None = None
    lead: NewLead | None = None

    def __post_init__(self) -> None:
        """Drop a click id or code that cannot be one."""
        if self.click and not clickid.looks_right(self.click):
            msgspec.structs.force_setattr(self, "click", None)
        if self.code and not _may_be_code(self.code):
            msgspec.structs.force_setattr(self, "code", None)


class SignUp(About, frozen=True, kw_only=True):
    """Somebody signed up, and when: a new lead, or one whose id we learn."""

    at: inputs.Time


class Stage(About, frozen=True, kw_only=True):
    """The stage in the source's own words, and when it was reached."""

    stage: inputs.Line
    at: inputs.Time


class NewItem(Input, frozen=True, kw_only=True):
    """A line of the sale: what all its pieces cost together, in the sale's own currency."""

    product: Product
    amount_minor: Annotated[int, Meta(ge=0, le=money.MAX_MINOR)]
    quantity: Annotated[int, Meta(ge=1, le=1_000_000)] = 1
    currency: inputs.Currency | None = None


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


class LeadCreated(Input, frozen=True, kw_only=True, tag_field="type", tag="lead.created"):
    """Somebody signed up."""

    data: SignUp
    timestamp: inputs.Time | None = None


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


Message = LeadCreated | StageChanged | SaleRecorded | EventRecorded | SaleRefunded | CustomerChurned


def _may_be_code(text: str) -> bool:
    """Return whether *text* can be a link's code, or a card's as somebody copied it."""
    return clickid.is_code(text.strip().lower()) or card.looks_like(text)


def happened_at(message: Message) -> str:
    """Return when it happened, in its sender's words."""
    match message:
        case SaleRecorded(data=data):
            return data.occurred_at
        case _:
            return message.data.at


def type_of(message: Message) -> str:
    """Return the message's type as it is sent."""
    return str(message.__struct_config__.tag)


def without_person(message: Message) -> Message:
    """Return the message without the address and whatever else says who somebody is."""
    return msgspec.structs.replace(
        message, data=msgspec.structs.replace(message.data, email=None, lead=None)
    )


def about_referral(message: Message, referral: str) -> Message:
    """Return the message as if its sender had named *referral*."""
    return msgspec.structs.replace(
        message, data=msgspec.structs.replace(message.data, referral=referral)
    )
