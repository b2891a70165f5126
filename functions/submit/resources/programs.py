"""Programs: read what counts now, let systems and reps in."""

from __future__ import annotations

import base64
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from introducer import keyring
from introducer.program import Program
from introducer.tables import programs
from introducer.tables.store import Transaction
from submit.acting import MANAGER, READERS
from submit.http import Answer, Call, Resource
from submit.inputs import Input
from submit.once import Stored
from submit.signature import source_key

resource = Resource(__name__)


class ProgramRead(msgspec.Struct, frozen=True, kw_only=True):
    """The version that counts now, with its whole document."""

    program: str
    version: int
    effective_at: str
    published_at: str
    published_by: str
    document: Program


class NewSource(Input, frozen=True, kw_only=True):
    """A system that shall send signed messages."""

    source: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_-]{0,31}$(?!\n)")]


class SourceMade(msgspec.Struct, frozen=True, kw_only=True):
    """The new source and where it sends to. ``secret`` is told this once."""

    source: str
    path: str
    secret: str = ""


@resource.endpoint("GET", "/v1/programs/{program}", roles=READERS, answer=ProgramRead)
def read_program(call: Call[Any, Any]) -> Answer:
    """Read the version of a program that counts now."""
    version = programs.current(call.path["program"], call.now)
    return Answer(
        body=ProgramRead(
            program=version.program,
            version=version.version,
            effective_at=version.effective_at,
            published_at=version.published_at,
            published_by=version.published_by,
            document=version.document,
        )
    )


def tell_secret(call: Call[NewSource, Any], stored: Stored) -> Stored:
    """Return the source's signing secret.

    The claim does not keep it, the keyring does: whoever repeats the same request,
    because its answer was lost, is told again.
    """
    key = keyring.secret(source_key(call.path["program"], str(stored["source"])))
    return {"secret": "whsec_" + base64.b64encode(key).decode()}


@resource.endpoint(
    "POST",
    "/v1/programs/{program}/sources",
    roles=MANAGER,
    body=NewSource,
    answer=SourceMade,
    status=201,
    unstored=tell_secret,
    codes=("already_exists",),
)
def add_source(call: Call[NewSource, Any]) -> Answer:
    """Let a billing system or CRM send signed messages; tells its secret this once."""
    version = programs.current(call.path["program"], call.now)
    source = call.body.source
    writes = Transaction()
    programs.add_source(writes, version.program, source, now=call.now, actor=call.caller.name)
    path = f"/v1/inbound/{version.program}/{source}"
    return Answer(body={"source": source, "path": path}, writes=writes)
