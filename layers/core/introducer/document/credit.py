"""Attribution: who is credited, how much, and for how long a lead is theirs."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from introducer.document.base import BasisPoints, Key, Part

TouchKind = Literal["click", "code", "form", "verbal", "email", "event"]


class Creditable(Part, frozen=True):
    """Who may be credited; empty lists mean everybody and every kind of touch."""

    audiences: list[Key] = []
    types: list[Key] = []
    touches: list[TouchKind] = []


class Attribution(Part, frozen=True):
    """Who is credited: the model, how far back it looks, how long a lead is protected.

    ``position_based`` gives the first and the last touch their part and spreads the rest
    evenly over those between; with two touches the rest is shared by their parts, with one
    it has all. ``fixed`` gives the co-referrers ``shares_basis_points`` in the order of their
    first touch; shares that nobody takes go to the others in proportion.
    """

    model: Literal["first_touch", "last_touch", "linear", "position_based", "fixed"] = "last_touch"
    window_days: Annotated[int, Meta(ge=1, le=730)] = 90
    protection_days: Annotated[int, Meta(ge=1, le=3650)] = 180
    first_basis_points: BasisPoints = 4000
    last_basis_points: BasisPoints = 4000
    shares_basis_points: Annotated[list[BasisPoints], Meta(max_length=20)] = []
    creditable: Creditable = Creditable()
