"""How far a long job has come, and who works on it until when. Pure; storage is in ``tables``."""

from __future__ import annotations

import msgspec

from introducer import clock
from introducer.clock import Instant


class Held(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What every job's progress says of its worker.

    Attributes:
        revision: Changes with every write; the condition of the next.
        holder: The worker that wrote it last.
        lease_until: Nobody else works on the job before.
        attempts: Runs since anything was achieved, the one that achieved it included.
    """

    revision: int = 0
    holder: str = ""
    lease_until: Instant = clock.EPOCH
    attempts: int = 0
