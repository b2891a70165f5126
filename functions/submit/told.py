"""A message from outside with who told it and how; the same for webhook, API and file."""

from __future__ import annotations

from typing import Literal

import msgspec

from introducer import identity, ids, keyring
from introducer.clock import Instant
from introducer.conversion import Conversion, Tie
from submit import inputs, messages
from submit.messages import About, Message

Way = Literal["webhook", "api", "csv"]
Outcome = Literal["applied", "known", "outdated", "noted", "waiting"]


class Taken(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of a message.

    ``applied``; ``known`` when the same facts were told before; ``outdated`` when newer
    ones were; ``noted`` when it changes nothing here; ``waiting`` when it is kept until a
    referral explains it or may take it. Then ``conversion`` is the id under which it is listed.
    Without a referral ``referral`` and ``status`` are empty.
    """

    outcome: Outcome
    referral: str
    status: str
    conversion: str = ""


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """A message, checked as far as its shape goes.

    ``source`` is the sender's name, ``message_id`` the sender's id of the message and
    ``actor`` whom events name.
    """

    program: str
    source: str
    message: Message
    message_id: str
    now: Instant
    actor: str
    channel: Way = "webhook"
    email_key: str = ""
    """Keyed hash of the address, when that is all there is of it."""

    @property
    def about(self) -> About:
        """Return which referral it says it is about."""
        return self.message.data

    @property
    def tie(self) -> Tie | None:
        """Return the sender's id it brings, or None."""
        external = self.about.external_id
        if external is None:
            return None
        scope = f"{self.program}/{self.source}"
        return Tie(scope=scope, external_id=external, key=self.external_key())

    @property
    def id(self) -> str:
        """Return the id that a repeated delivery gives again."""
        return ids.derived_id("conversion", self.program, self.source, self.message_id)

    def at(self) -> Instant:
        """Return when it happened.

        Raises:
            InvalidInputError: It is no RFC 3339 time, or lies more than a day ahead.
        """
        field = "occurred_at" if isinstance(self.message, messages.SaleRecorded) else "at"
        return inputs.instant(field, messages.happened_at(self.message), self.now)

    def mailbox(self) -> str:
        """Return the keyed hash of the address it names, empty without one.

        Raises:
            InvalidInputError: It is no address.
        """
        if self.about.email is None:
            return self.email_key
        address = identity.check_email(self.about.email)
        return identity.email_key(address, keyring.secret(keyring.IDENTITY))

    def external_key(self) -> str:
        """Return the sender's id as leads are known by it, empty without one."""
        external = self.about.external_id
        if external is None:
            return ""
        secret = keyring.secret(keyring.IDENTITY)
        ((kind, value),) = identity.keys(secret, external={self.source: external}).items()
        return f"{kind}#{value}"

    def keys(self) -> list[str]:
        """Return what it is found again by while it waits."""
        about, mailbox = self.about, self.mailbox()
        named = [
            f"referral#{about.referral}" if about.referral else "",
            self.external_key(),
            f"email#{mailbox}" if mailbox else "",
            f"click#{about.click}" if about.click else "",
        ]
        return [key for key in named if key]


def of_kept(kept: Conversion, now: Instant) -> Told:
    """Return a message as it was told, from what was kept of it."""
    return Told(
        program=kept.program,
        source=kept.source,
        message=msgspec.json.decode(kept.body, type=Message),
        message_id=kept.message_id,
        now=now,
        actor=kept.actor,
        channel=kept.channel,
        email_key=kept.email_key,
    )


def body_of(message: Message) -> str:
    """Return the message as it is kept: nothing in it says who somebody is."""
    return msgspec.json.encode(messages.without_person(message)).decode()
