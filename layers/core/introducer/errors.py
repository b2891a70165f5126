"""What can go wrong, said in the product's own words.

Errors carry data and no status codes: the one table that turns a class into an
HTTP status lives at the edge (``submit.http``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple


class IntroducerError(Exception):
    """The root of every error the product raises on purpose."""

    code = "error"

    def __init__(self, message: str, **data: object) -> None:
        super().__init__(message)
        self.message = message
        self.data = data
        self.existing: dict[str, Any] | None = None
        """The stored item that stood in the way, when a condition failed."""


class NotFoundError(IntroducerError):
    """The thing asked for does not exist, or the caller may not know that it does."""

    code = "not_found"


class InvalidInputError(IntroducerError):
    """A value from outside cannot be accepted; ``field`` names it."""

    code = "invalid_input"

    def __init__(self, field: str, message: str, *, code: str = "invalid_input") -> None:
        super().__init__(message, field=field)
        self.field = field
        self.code = code


class Fault(NamedTuple):
    """One value that cannot be accepted: a stable code, the field, and what is wrong."""

    code: str
    field: str
    message: str


class SeveralFaultsError(IntroducerError):
    """Values from outside cannot be accepted; ``faults`` is every one of them.

    A fault that stands alone gives the error its own code and words.
    """

    def __init__(self, code: str, message: str, faults: Sequence[Fault]) -> None:
        alone = len(faults) == 1
        super().__init__(faults[0].message if alone else message)
        self.code = faults[0].code if alone else code
        self.faults = list(faults)


class InvalidProgramError(IntroducerError):
    """A program document was refused; ``findings`` lists every reason with its path."""

    code = "invalid_program"

    def __init__(self, findings: list[dict[str, str]]) -> None:
        super().__init__("the program document has findings", findings=findings)
        self.findings = findings


class MissingRateError(IntroducerError):
    """Two currencies must be compared and the program has no rate; nothing is guessed."""

    code = "no_exchange_rate"


class ForbiddenError(IntroducerError):
    """The caller is known and may not do this."""

    code = "forbidden"


class SignatureError(IntroducerError):
    """A signed message is not authentic, or too old to be believed."""

    code = "invalid_signature"


class TransitionError(IntroducerError):
    """The entity's state does not allow this move."""

    code = "transition_not_allowed"


class OnHoldError(TransitionError):
    """Money for it is kept back while something is looked into, and this would move it."""

    code = "on_hold"


class OutdatedError(IntroducerError):
    """An update is older than one already taken from the same source."""

    code = "outdated"


class StaleError(IntroducerError):
    """Somebody else changed the entity first; read it again and decide anew."""

    code = "stale"


class AlreadyExistsError(IntroducerError):
    """A name, key or identity that must be unique is taken."""

    code = "already_exists"


class IdempotencyError(IntroducerError):
    """An idempotency key was used before with a different body."""

    code = "idempotency_key_reused"


class ContentionError(IntroducerError):
    """The store was too busy on these items; the same request may be sent again."""

    code = "busy"


class UncertainError(IntroducerError):
    """No clear answer came from a service; the change may or may not have happened."""

    code = "unavailable"


class LedgerError(IntroducerError):
    """An invariant of the books is broken. Payouts stop until a person has looked."""

    code = "ledger_broken"


class PayoutsHaltedError(IntroducerError):
    """Payouts were stopped because the books did not agree."""

    code = "payouts_halted"
