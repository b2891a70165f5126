"""Tax: the form a partner gives, and what payees were paid in a year."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from introducer import partner as partner_state
from introducer.clients import client
from introducer.errors import InvalidInputError
from introducer.partner import Partner
from introducer.program import Program
from introducer.settings import setting
from introducer.tables import partners, people, programs, taxes
from introducer.tables.people import TaxOnFile
from introducer.tables.store import Transaction
from introducer.tax import form as forms
from introducer.tax import law, tally
from introducer.tax.form import TaxData
from introducer.tax.tally import YearTotal
from submit import inputs
from submit.acting import FINANCE, PARTNER, READERS, active_partner_of, partner_of
from submit.http import Answer, Call, Resource
from submit.inputs import Input, Nothing, Paging

resource = Resource(__name__)
managed = Resource(f"{__name__}.managed")

_Short = Annotated[str, Meta(max_length=70, pattern=inputs.LINE_OR_EMPTY)]
_Number = Annotated[str, Meta(pattern=r"^([A-Za-z0-9][A-Za-z0-9 ./-]{1,29})?$(?!\n)")]
_Day = Annotated[str, Meta(pattern=r"^([0-9]{4}-[0-9]{2}-[0-9]{2})?$(?!\n)")]
_Code = Annotated[str, Meta(pattern=r"^([a-z][a-z0-9_]{0,31})?$(?!\n)")]
_CountryOrNone = Annotated[str, Meta(pattern=r"^([A-Z]{2})?$(?!\n)")]


class NewTaxForm(Input, frozen=True, kw_only=True):
    """A tax form; which one follows from the two countries and from who the payee is.

    A W-9 needs ``classification``, address with ``region``, ``tin`` and ``tin_type``; a W-8BEN
    the address, ``birth_date`` and a number; a W-8BEN-E the address, ``classification``,
    ``capacity`` and a number; VAT data the address and ``vat_number`` or ``tax_number``.
    ``signed_by`` and ``signed_on`` stand for the signature, ``certified`` for its declaration.
    """

    country: inputs.Country
    entity: Literal["individual", "company"]
    name: inputs.ShortLine
    signed_by: inputs.ShortLine
    signed_on: _Day
    certified: bool
    business_name: _Short = ""
    classification: _Code = ""
    street: _Short = ""
    city: _Short = ""
    region: _Short = ""
    postal_code: _Number = ""
    tin: _Number = ""
    tin_type: Literal["", "ssn", "itin", "ein"] = ""
    foreign_tin: _Number = ""
    birth_date: _Day = ""
    giin: _Number = ""
    treaty_country: _CountryOrNone = ""
    treaty_article: _Short = ""
    vat_number: _Number = ""
    tax_number: _Number = ""
    capacity: _Short = ""


class TaxStatus(msgspec.Struct, frozen=True, kw_only=True):
    """Which form is needed, what is on file and until when it counts; of its number the end.

    ``form_needed`` is empty when none is. ``counts`` says whether payouts are free of it.
    """

    form_needed: str
    counts: bool
    form: str
    country: str
    entity: str
    given_at: str
    until: str
    last4: str


class YearRow(msgspec.Struct, frozen=True, kw_only=True):
    """What a holder was paid in a year in one unit; amounts are its minor units.

    ``form_counts`` says that payouts are free of forms, also because none is needed.
    ``threshold_reached`` is ``yes``, ``no``, ``other_currency`` or ``no_threshold``; ``yes``
    also where backup withholding was kept back, whatever the sum.
    ``corrected`` says that it changed after the export of ``exported_at``.
    """

    partner: str
    currency: str
    form: str
    form_counts: bool
    country: str
    entity: str
    paid_minor: int
    reportable_minor: int
    withheld_minor: int
    payouts: int
    threshold_reached: str
    exported_at: str
    corrected: bool


class YearList(msgspec.Struct, frozen=True, kw_only=True):
    """One page of a year; ``next`` is empty on the last."""

    items: list[YearRow]
    next: str


class ExportStarted(msgspec.Struct, frozen=True, kw_only=True):
    """Where the file will lie in the bank's bucket."""

    file: str


@resource.endpoint("GET", "/v1/me/tax", roles=PARTNER, answer=TaxStatus, codes=("not_enrolled",))
def read_tax(call: Call[Any, Any]) -> Answer:
    """Read which tax form the caller must give, and what is on file."""
    partner = partner_of(call)
    return Answer(body=_status(partner, programs.current(partner.program, call.now).document, call))


@resource.endpoint(
    "PUT",
    "/v1/me/tax",
    roles=PARTNER,
    body=NewTaxForm,
    answer=TaxStatus,
    codes=(
        "no_form_needed",
        "country_conflict",
        "invalid_tax_form",
        "missing_field",
        "not_in_this_form",
        "not_certified",
        "invalid_tin",
        "invalid_vat_number",
        "invalid_signed_on",
        "invalid_birth_date",
        "unknown_classification",
        "not_enrolled",
    ),
)
def give_tax_form(call: Call[NewTaxForm, Any]) -> Answer:
    """Give the tax form that is needed of who the caller says they are; it replaces the last one.

    The number is stored encrypted and shown to nobody; only its last four characters are.
    """
    partner, body = active_partner_of(call), call.body
    document = programs.current(partner.program, call.now).document
    form = law.form_for(document.tax.payer_country, body.country, body.entity)
    if not form:
        message = "nothing is asked of payees like this"
        raise InvalidInputError("country", message, code="no_form_needed")
    if form in {"w8ben", "w8ben_e"} and partner.country == "US":
        message = "you enrolled in the United States; this form is for others"
        raise InvalidInputError("country", message, code="country_conflict")
    data = forms.check(form, TaxData(**msgspec.structs.asdict(body)), call.now)
    shown = TaxOnFile(
        form=form,
        country=data.country,
        entity=data.entity,
        given_at=call.now,
        until=law.counts_until(form, data.signed_on),
        last4=data.number[-4:],
    )
    after, event = partner_state.changed(
        partner,
        "TaxFormGiven",
        {"form": form, "country": data.country, "entity": data.entity, "until": shown.until},
        call.now,
        partner.entity,
        tax_form=form,
        tax_form_at=call.now,
        tax_form_until=shown.until,
        tax_country=data.country,
        tax_entity=data.entity,
    )
    writes = Transaction()
    partners.save(writes, partner, after, event)
    people.add_tax(writes, partner.person, shown, data)
    return Answer(body=_shown(after, document, shown, call), writes=writes)


@managed.endpoint(
    "GET",
    "/v1/programs/{program}/tax/{year}",
    roles=READERS,
    query=Paging,
    answer=YearList,
    codes=("unknown_tax_year",),
)
def list_tax_year(call: Call[Any, Paging]) -> Answer:
    """List what a program's payees were paid in a calendar year, with form and threshold.

    No taxpayer number is in it; those are in the export alone.
    """
    document, year = _program_and_year(call)
    found, after = taxes.page(document.id, year, limit=call.query.limit, start=call.start())
    profiles = partners.find_partners([each.partner for each in found if "." not in each.partner])
    rows = [_row(each, profiles.get(each.partner), document, call.now) for each in found]
    return Answer(body=YearList(items=rows, next=call.next(after)))


@managed.endpoint(
    "POST",
    "/v1/programs/{program}/tax/{year}/export",
    roles=FINANCE,
    body=Nothing,
    answer=ExportStarted,
    status=202,
    codes=("unknown_tax_year",),
)
def export_tax_year(call: Call[Nothing, Any]) -> Answer:
    """Have the year written to a file in the bank's bucket, taxpayer numbers included.

    Whoever may read that folder of the bucket gets it there; no answer of the API holds it.
    """
    document, year = _program_and_year(call)
    order = {"program": document.id, "year": year, "at": call.now, "by": call.caller.name}
    client("lambda").invoke(
        FunctionName=setting("TAXES_FUNCTION"),
        InvocationType="Event",
        Payload=msgspec.json.encode(order),
    )
    return Answer(body=ExportStarted(file=tally.export_key(document.id, year, call.now)))


def _status(partner: Partner, document: Program, call: Call[Any, Any]) -> TaxStatus:
    on_file = people.tax_on_file(partner.person) if partner.tax_form else None
    return _shown(partner, document, on_file, call)


def _shown(
    partner: Partner, document: Program, on_file: TaxOnFile | None, call: Call[Any, Any]
) -> TaxStatus:
    payer = document.tax.payer_country
    return TaxStatus(
        form_needed=law.needed_of(payer, partner),
        counts=law.is_free(payer, partner, call.now),
        form=partner.tax_form,
        country=partner.tax_country,
        entity=partner.tax_entity,
        given_at=partner.tax_form_at,
        until=partner.tax_form_until,
        last4=on_file.last4 if on_file else "",
    )


def _program_and_year(call: Call[Any, Any]) -> tuple[Program, int]:
    """Return the program as it stands and the year that was asked for.

    Raises:
        NotFoundError: There is no such program.
        InvalidInputError: ``unknown_tax_year``: no year, or one whose threshold is not known.
    """
    document = programs.current(call.path["program"], call.now).document
    asked = call.path["year"]
    if not (len(asked) == len("2026") and asked.isdecimal() and asked <= call.now[:4]):
        message = "not a year in which anybody was paid"
        raise InvalidInputError("year", message, code="unknown_tax_year")
    year = int(asked)
    law.threshold(document.tax.payer_country, year)
    return document, year


def _row(total: YearTotal, profile: Partner | None, document: Program, now: str) -> YearRow:
    payer = document.tax.payer_country
    country = (profile.tax_country or profile.country) if profile else ""
    entity = profile.tax_entity if profile else ""
    return YearRow(
        partner=total.partner,
        currency=total.currency,
        form=profile.tax_form if profile else "",
        form_counts=law.is_free(payer, profile, now),
        country=country,
        entity=entity,
        paid_minor=total.paid_minor,
        reportable_minor=total.reportable_minor(payer),
        withheld_minor=total.withheld_minor,
        payouts=total.payouts,
        threshold_reached=tally.threshold_reached(total, payer),
        exported_at=total.exported_at,
        corrected=total.corrected,
    )
