"""What can happen to one call of AWS, and who decides that it does."""

from __future__ import annotations

import random
from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple

_READS = ("Get", "BatchGet", "Query", "Scan", "List", "Head", "Describe")


class Crash(BaseException):
    """The process ends here. Not an ``Exception``: no code of ours may survive it."""


class Fault(StrEnum):
    """What happens to a call."""

    NONE = "none"
    NEVER_SENT = "never_sent"
    """It never arrives: a time-out, and nothing happened."""
    LOST_ONCE = "lost_once"
    """It is done, the answer is lost, and the SDK sends the same request again."""
    LOST = "lost"
    """It is done as often as the SDK repeats it, and no answer ever arrives."""
    THROTTLED = "throttled"
    CONFLICT = "conflict"
    """Another transaction touches the same items: refused; for reads as ``THROTTLED``."""
    CRASH_BEFORE = "crash_before"
    CRASH_AFTER = "crash_after"
    UNPROCESSED = "unprocessed"
    """Of a read of many, only some are read; for other calls nothing."""


EVERY = tuple(Fault)[1:]


class Call(NamedTuple):
    """One call as the faults see it: its number from 0, and whether it may store anything."""

    number: int
    service: str
    operation: str

    @property
    def writes(self) -> bool:
        """Return whether it may change what is stored."""
        return self.service != "kms" and not self.operation.startswith(_READS)


Faults = Callable[[Call], Fault]
"""Says what happens to a call."""


def none(_: Call) -> Fault:
    """Let every call go well."""
    return Fault.NONE


def at(number: int, fault: Fault) -> Faults:
    """Let one call, counted from 0, meet *fault*, and all others go well."""
    return lambda call: fault if call.number == number else Fault.NONE


def seeded(rng: random.Random, share: float) -> Faults:
    """Let a *share* of the calls meet a fault each, by chance."""
    choices = EVERY

    def choose(_: Call) -> Fault:
        return rng.choice(choices) if rng.random() < share else Fault.NONE

    return choose
