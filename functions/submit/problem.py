"""What goes wrong, as an HTTP answer: RFC 9457 problem documents with a stable ``code``.

:data:`STATUS` is the one table from a class of error to a status. The code comes with
the error itself; nothing is decided by the text of a message.
"""

from __future__ import annotations

import traceback
from http import HTTPStatus

import msgspec
from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException

from introducer.errors import (
    AlreadyExistsError,
    ContentionError,
    ForbiddenError,
    IdempotencyError,
    IntroducerError,
    InvalidInputError,
    InvalidProgramError,
    MissingRateError,
    NotFoundError,
    OutdatedError,
    PayoutsHaltedError,
    SeveralFaultsError,
    SignatureError,
    StaleError,
    TransitionError,
    UncertainError,
)
from introducer.tables import store
from submit.log import logger

UNAVAILABLE = HTTPStatus.SERVICE_UNAVAILABLE
RETRY_AFTER_S = 2


class Fault(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that is wrong: where, what, and a stable code where there are several."""

    field: str
    detail: str
    code: str = ""


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A problem document (RFC 9457). ``code`` is stable, ``detail`` is for people.

    ``errors`` names the fields that are wrong; ``findings`` the faults of a program
    document, each with its path, the problem and the remedy.
    """

    type: str
    title: str
    status: int
    code: str
    detail: str
    request_id: str
    errors: list[Fault] = []
    findings: list[dict[str, str]] = []


class RequestError(IntroducerError):
    """The request itself is not understood; ``faults`` names the fields."""

    def __init__(self, code: str, message: str, *, field: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.faults = [Fault(field=field, detail=message)] if field else []


class TooLargeError(RequestError):
    """The body is larger than the route takes."""


class MediaTypeError(RequestError):
    """The body is of a kind the route does not take."""


class UnauthenticatedError(IntroducerError):
    """Nobody vouched for the caller."""

    code = "unauthenticated"


class NotEnrolledError(NotFoundError):
    """The login acts for no partner, or for no rep."""

    code = "not_enrolled"


STATUS: dict[type[Exception], HTTPStatus] = {
    TooLargeError: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    MediaTypeError: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    RequestError: HTTPStatus.BAD_REQUEST,
    UnauthenticatedError: HTTPStatus.UNAUTHORIZED,
    SignatureError: HTTPStatus.UNAUTHORIZED,
    ForbiddenError: HTTPStatus.FORBIDDEN,
    NotFoundError: HTTPStatus.NOT_FOUND,
    InvalidInputError: HTTPStatus.UNPROCESSABLE_ENTITY,
    SeveralFaultsError: HTTPStatus.UNPROCESSABLE_ENTITY,
    MissingRateError: HTTPStatus.UNPROCESSABLE_ENTITY,
    InvalidProgramError: HTTPStatus.UNPROCESSABLE_ENTITY,
    IdempotencyError: HTTPStatus.UNPROCESSABLE_ENTITY,
    TransitionError: HTTPStatus.CONFLICT,
    OutdatedError: HTTPStatus.CONFLICT,
    StaleError: HTTPStatus.CONFLICT,
    AlreadyExistsError: HTTPStatus.CONFLICT,
    PayoutsHaltedError: HTTPStatus.CONFLICT,
    ContentionError: HTTPStatus.SERVICE_UNAVAILABLE,
    UncertainError: HTTPStatus.SERVICE_UNAVAILABLE,
}


def of(failure: Exception, request_id: str) -> Problem:
    """Return the problem document of *failure*; what nobody expected is an internal error."""
    status = status_of(failure)
    if status is None or not isinstance(failure, IntroducerError):
        return plain(
            HTTPStatus.INTERNAL_SERVER_ERROR,
            "internal_error",
            "Something broke on our side. Quote the request id when you tell us.",
            request_id,
        )
    problem = plain(status, failure.code, failure.message, request_id)
    match failure:
        case InvalidProgramError(findings=findings):
            return msgspec.structs.replace(problem, findings=findings)
        case InvalidInputError(field=field, message=detail):
            return msgspec.structs.replace(problem, errors=[Fault(field=field, detail=detail)])
        case SeveralFaultsError(faults=several):
            found = [
                Fault(field=each.field, detail=each.message, code=each.code) for each in several
            ]
            return msgspec.structs.replace(problem, errors=found)
        case RequestError(faults=faults):
            return msgspec.structs.replace(problem, errors=faults)
    return problem


def plain(status: HTTPStatus, code: str, detail: str, request_id: str) -> Problem:
    """Return a problem document without a list of faults."""
    return Problem(
        type="about:blank",
        title=status.phrase,
        status=status.value,
        code=code,
        detail=f"{detail[:1].upper()}{detail[1:].rstrip('.')}.",
        request_id=request_id,
    )


def phrase(status: int) -> str:
    """Return what a status is called."""
    return HTTPStatus(status).phrase


def status_of(failure: Exception) -> HTTPStatus | None:
    """Return the status of the nearest class of *failure* in the table, None without one."""
    return next((STATUS[kind] for kind in type(failure).__mro__ if kind in STATUS), None)


def translate(failure: Exception) -> Exception:
    """Return *failure* in the product's words when it is a store or service not answering."""
    try:
        if isinstance(failure, PynamoDBException):
            store.translate(failure)
    except IntroducerError as known:
        return known
    except PynamoDBException:
        return failure
    if isinstance(failure, BotoCoreError):
        return UncertainError("a service did not answer")
    if isinstance(failure, ClientError) and "Throttl" in str(failure.response["Error"]["Code"]):
        return ContentionError("a service is busy")
    return failure


def log_unexpected(failure: Exception, request_id: str) -> None:
    """Log where *failure* came from, never its text: it may quote somebody's data."""
    frames = traceback.extract_tb(failure.__traceback__)
    logger().error(
        "unexpected failure",
        request_id=request_id,
        kind=type(failure).__name__,
        cause=type(failure.__cause__).__name__,
        frames=[f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in frames[-8:]],
    )
