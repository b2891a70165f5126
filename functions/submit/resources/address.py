"""The address to which a partner sends introductions."""

from __future__ import annotations

import os
from typing import Any

import msgspec

from introducer.errors import NotFoundError
from introducer.tables import programs
from submit import own_links
from submit.acting import PARTNER, active_partner_of
from submit.http import Answer, Call, Resource

CHANNEL = "introduction"

resource = Resource(__name__)


class NoMailError(NotFoundError):
    """This deployment receives no mail."""

    code = "no_mail"


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """Put it in copy when you introduce somebody by mail, or forward their mail to it."""

    address: str


@resource.endpoint(
    "GET", "/v1/me/address", roles=PARTNER, answer=Address, codes=("not_enrolled", "no_mail")
)
def read_address(call: Call[Any, Any]) -> Answer:
    """Read the address to which one sends introductions; it stays the same."""
    domain = os.environ.get("INTAKE_DOMAIN", "")
    if not domain:
        raise NoMailError("this deployment receives no mail")
    partner = active_partner_of(call)
    document = programs.current(partner.program, call.now).document
    link = own_links.link_for(partner, document, channel=CHANNEL, asset="mail", now=call.now)
    return Answer(body=Address(address=f"{link.code}@{domain}"))
