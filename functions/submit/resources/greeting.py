"""What a partner says on the landing pages of their links."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from introducer.tables import partners, people
from introducer.tables.people import Greeting
from introducer.tables.store import Transaction
from submit import inputs
from submit.acting import PARTNER, active_partner_of, partner_of
from submit.http import Answer, Call, Resource
from submit.inputs import Input

MESSAGE_LIMIT = 500

resource = Resource(__name__)


class NewGreeting(Input, frozen=True, kw_only=True):
    """A name and a few plain words, and whether visitors see them. Addresses become no links."""

    display_name: inputs.ShortLine
    message: Annotated[str, Meta(max_length=MESSAGE_LIMIT, pattern=inputs.LINES)] = ""
    show: bool = True


class GreetingSet(msgspec.Struct, frozen=True, kw_only=True):
    """What is said on the partner's pages. ``set_at`` is empty when nothing ever was."""

    display_name: str
    message: str
    show: bool
    set_at: str


@resource.endpoint("GET", "/v1/me/page", roles=PARTNER, answer=GreetingSet, codes=("not_enrolled",))
def read_greeting(call: Call[Any, Any]) -> Answer:
    """Read what one's own landing pages say."""
    said = people.greeting(partner_of(call).person)
    return Answer(body=_told(said or Greeting(display_name="", set_at="")))


@resource.endpoint(
    "PUT",
    "/v1/me/page",
    roles=PARTNER,
    body=NewGreeting,
    answer=GreetingSet,
    codes=("not_enrolled",),
)
def set_greeting(call: Call[NewGreeting, Any]) -> Answer:
    """Say what one's own landing pages say. It counts for all links at once."""
    partner = active_partner_of(call)
    said = Greeting(
        display_name=call.body.display_name,
        message=call.body.message,
        show=call.body.show,
        set_at=call.now,
    )
    writes = Transaction()
    partners.set_greeting(writes, partner, said, actor=partner.entity)
    return Answer(body=_told(said), writes=writes)


def _told(said: Greeting) -> GreetingSet:
    return GreetingSet(
        display_name=said.display_name, message=said.message, show=said.show, set_at=said.set_at
    )
