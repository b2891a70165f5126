"""The tax forms payees give: which fields each has, and what can be checked of them.

A form is data: the fields it needs, those it may have. What is in it is the payee's own word,
signed; checked is only what can be: that nothing is missing or out of place, that numbers are
well formed, that the day is one they can have signed on.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Literal

import msgspec

from introducer.clock import Instant
from introducer.errors import Fault, SeveralFaultsError
from introducer.tax.law import EU, Entity

TinType = Literal["", "ssn", "itin", "ein"]
_SIGNED_DAYS = 365
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class TaxData(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a payee said for tax; empty fields were not given.

    Attributes:
        country: Where the payee is taxed.
        entity: ``individual`` or ``company``.
        classification: Of a W-9, box 3; of a W-8BEN-E, the entity's type.
        tin: A taxpayer number of the United States; ``tin_type`` says which.
        foreign_tin: The number in the country where they are taxed.
        birth_date: Of an individual abroad.
        giin: A W-8BEN-E's global intermediary number.
        treaty_country: Whose treaty is claimed, with ``treaty_article``.
        vat_number: With its country's prefix; ``tax_number`` for who has none.
        signed_by: Who signed; ``capacity`` for whom, of a company.
        signed_on: The day, ``YYYY-MM-DD``.
        certified: That they declared it to be true, as the form asks.
    """

    country: str
    entity: Entity
    name: str
    signed_by: str
    signed_on: str
    certified: bool = False
    business_name: str = ""
    classification: str = ""
    street: str = ""
    city: str = ""
    region: str = ""
    postal_code: str = ""
    tin: str = ""
    tin_type: TinType = ""
    foreign_tin: str = ""
    birth_date: str = ""
    giin: str = ""
    treaty_country: str = ""
    treaty_article: str = ""
    vat_number: str = ""
    tax_number: str = ""
    capacity: str = ""

    @property
    def number(self) -> str:
        """Return the number a tax office knows the payee by."""
        return self.tin or self.vat_number or self.foreign_tin or self.tax_number


class Shape(msgspec.Struct, frozen=True):
    """The fields of a form besides country, entity, name and signature."""

    needed: frozenset[str]
    welcome: frozenset[str] = frozenset()
    one_of: frozenset[str] = frozenset()
    """One of them at least."""


_ADDRESS = frozenset({"street", "city", "postal_code"})
SHAPES: dict[str, Shape] = {
    # IRS Form W-9 (Rev. March 2024)
    "w9": Shape(
        _ADDRESS | {"region", "tin", "tin_type", "classification"}, frozenset({"business_name"})
    ),
    # IRS Form W-8BEN (Rev. October 2021)
    "w8ben": Shape(
        frozenset({"street", "city", "birth_date"}),
        frozenset({"region", "postal_code", "treaty_country", "treaty_article"}),
        frozenset({"foreign_tin", "tin"}),
    ),
    # IRS Form W-8BEN-E (Rev. October 2021)
    "w8ben_e": Shape(
        frozenset({"street", "city", "classification", "capacity"}),
        frozenset({"region", "postal_code", "giin", "treaty_country", "treaty_article"}),
        frozenset({"foreign_tin", "tin"}),
    ),
    "vat": Shape(
        _ADDRESS,
        frozenset({"region", "business_name", "capacity"}),
        frozenset({"vat_number", "tax_number"}),
    ),
}
_OF_ALL = frozenset({"country", "entity", "name", "signed_by", "signed_on", "certified"})
_CLASSES = frozenset(
    "individual sole_proprietor c_corporation s_corporation partnership trust llc".split()
)
"""What box 3 of a W-9 offers."""


def check(form: str, data: TaxData, now: Instant) -> TaxData:
    """Return *data* with its numbers in their plain form.

    Args:
        form: Which form it is, one of :data:`SHAPES`.
        data: As the payee gave it.
        now: The present instant.

    Raises:
        SeveralFaultsError: ``invalid_tax_form``; every fault names its field.
    """
    numbers: dict[str, str] = {}
    faults = [*_shape_faults(form, data), *_date_faults(form, data, now)]
    if form == "w9" and data.classification and data.classification not in _CLASSES:
        faults.append(Fault("unknown_classification", "classification", "not one of the form's"))
    if not data.certified:
        faults.append(Fault("not_certified", "certified", "the form must be declared to be true"))
    for field, valid in _checks(data):
        given = getattr(data, field)
        try:
            numbers[field] = valid(given) if given else ""
        except ValueError:  # stdnum's errors are
            faults.append(Fault(f"invalid_{field}", field, "not such a number"))
    if faults:
        raise SeveralFaultsError("invalid_tax_form", "the form cannot be taken", faults)
    return msgspec.structs.replace(data, **numbers)


def _shape_faults(form: str, data: TaxData) -> list[Fault]:
    shape = SHAPES[form]
    given = {name for name in data.__struct_fields__ if getattr(data, name)} - _OF_ALL
    faults = [
        Fault("missing_field", name, "needed in this form") for name in sorted(shape.needed - given)
    ]
    if shape.one_of and not shape.one_of & given:
        name = "foreign_tin" if "foreign_tin" in shape.one_of else "vat_number"
        faults.append(Fault("missing_field", name, "this form needs a number"))
    allowed = shape.needed | shape.welcome | shape.one_of | ({"tin_type"} & given)
    faults += [
        Fault("not_in_this_form", name, "has no place in this form")
        for name in sorted(given - allowed)
    ]
    if bool(data.tin) != bool(data.tin_type) and "tin" not in shape.needed:
        faults.append(Fault("missing_field", "tin_type", "the number and its kind go together"))
    return faults


def _date_faults(form: str, data: TaxData, now: Instant) -> list[Fault]:
    faults = []
    days: dict[str, date] = {}
    for field in ("signed_on", "birth_date"):
        given = getattr(data, field)
        try:
            # Without the pattern weeks and other forms of ISO 8601 would pass too.
            days[field] = date.fromisoformat(given if _DAY.fullmatch(given) else "")
        except ValueError:
            if given:
                faults.append(Fault(f"invalid_{field}", field, "not a day"))
    today = date.fromisoformat(now[:10])
    signed, born = days.get("signed_on"), days.get("birth_date")
    # A day ahead of UTC it is tomorrow already.
    if signed and not today - timedelta(_SIGNED_DAYS) <= signed <= today + timedelta(1):
        message = "signed in the future, or more than a year ago"
        faults.append(Fault("invalid_signed_on", "signed_on", message))
    if form == "w8ben" and born and not date(1900, 1, 1) <= born < today:
        faults.append(Fault("invalid_birth_date", "birth_date", "nobody was born then"))
    return faults


def _checks(data: TaxData) -> list[tuple[str, Callable[[str], str]]]:
    """Return which fields hold numbers that can be checked, and by what."""
    # 15 ms together, only for who gives a form.
    from stdnum.eu import vat as eu_vat
    from stdnum.gb import vat as gb_vat
    from stdnum.us import ein, itin, ssn

    checks: list[tuple[str, Callable[[str], str]]] = []
    by_kind: dict[str, Callable[[str], str]] = {
        "ssn": ssn.validate,
        "itin": itin.validate,
        "ein": ein.validate,
    }
    if data.tin_type:
        checks.append(("tin", by_kind[data.tin_type]))
    if data.vat_number:
        checks.append(("vat_number", _vat(data.country, eu_vat.validate, gb_vat.validate)))
    return checks


def _vat(country: str, eu: Callable[[str], str], gb: Callable[[str], str]) -> Callable[[str], str]:
    """Return the check of a VAT number of *country*; Greece writes EL (Directive 2006/112, 215)."""
    prefix = {"GR": "EL"}.get(country, country)

    def valid(given: str) -> str:
        number = given.upper()
        if country in EU:
            number = eu(number)
            if not number.startswith(prefix):
                raise ValueError
            return number
        if country == "GB":
            return f"GB{gb(number)}"
        raise ValueError

    return valid
