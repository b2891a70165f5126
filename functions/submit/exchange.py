"""One request and its answer, whatever carries them: who calls, what they send, what is done once.

A view gets a :class:`Call` (who, when, the decoded body and query) and returns an
:class:`Answer`: what to say, and the transaction it filled. This module commits it together
with the claim of the idempotency key, and turns whatever was raised into a problem document.
:mod:`submit.http` puts it behind Chalice's routes, :mod:`submit.landing_page` behind a page.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

import msgspec

from introducer.clock import Instant
from introducer.errors import (
    AlreadyExistsError,
    ContentionError,
    IntroducerError,
    NotFoundError,
    StaleError,
    TransitionError,
    UncertainError,
)
from introducer.tables.store import Transaction
from submit import caller as callers
from submit import cursor, inputs, once, problem
from submit.caller import Caller
from submit.inputs import FORM, Nothing, Pairs
from submit.log import logger
from submit.once import Stored
from submit.problem import Problem

B = TypeVar("B")
Q = TypeVar("Q")

BODY_LIMIT_BYTES = 65_536
KEY_FIELD = "idempotency_key"
"""The hidden field in which an HTML form sends its idempotency key."""
TRAP_FIELD = "website"
"""A field people do not see. Whoever fills it in gets thanks, and nothing is stored."""
_ATTEMPTS = 4
# After these the request may have been done already: by its twin, or by our own lost write.
_PERHAPS_DONE = (
    AlreadyExistsError,
    ContentionError,
    StaleError,
    TransitionError,
    UncertainError,
)


class Arrival(msgspec.Struct, frozen=True, kw_only=True):
    """A request before anything was checked."""

    path: dict[str, str]
    headers: Mapping[str, str]
    context: Mapping[str, Any]
    query: Mapping[str, list[str]]
    raw: bytes
    now: Instant
    request_id: str


class Call(msgspec.Struct, Generic[B, Q], frozen=True, kw_only=True):
    """A checked request: who calls, and what with."""

    caller: Caller
    path: dict[str, str]
    body: B
    query: Q
    now: Instant
    headers: Mapping[str, str]
    reader: str
    """Caller, route and filters: what a cursor is bound to."""
    kind: str = inputs.JSON

    def start(self) -> dict[str, Any] | None:
        """Return where the list goes on, from the query's cursor; None for its beginning."""
        return cursor.unseal(getattr(self.query, "cursor", ""), self.reader)

    def next(self, place: dict[str, Any] | None) -> str:
        """Return the cursor of *place*, empty when the list ends here."""
        return cursor.seal(place, self.reader)


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a view says, once ``writes`` is committed; ``status`` 0 is the usual one."""

    body: object
    writes: Transaction | None = None
    status: int = 0
    headers: dict[str, str] = {}


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What goes back over the wire."""

    status: int
    body: str
    headers: dict[str, str]
    code: str = ""


class Form(msgspec.Struct, frozen=True):
    """How a route takes HTML forms: fields to the JSON body's shape, and where to go after."""

    read: Callable[[Pairs], dict[str, object]]
    answer: Callable[[dict[str, str]], Reply]


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """A route with everything that can be said about it; OpenAPI and tests read these.

    Attributes:
        roles: Groups that may call it; empty for routes without a login.
        identify: How the caller is known when it is not by a token.
        body: The struct of the JSON body; None for none.
        parse: How the body is read when it is not plain strict JSON.
        answer: The struct of the answer's body.
        status: The usual one.
        once: Whether an idempotency key is needed: on every POST that stores something.
        again: Errors of the commit that mean: look again and decide anew.
        form: How HTML forms are taken, if they are.
        unstored: Adds to the answer what the claim must not keep.
        codes: Problem codes of its own, for the documentation.
        location: Where the thing made is read, for the ``Location`` header: relative to the
            request, so that it holds behind every prefix, and filled in from the answer.
        media: What the answer is when it is no JSON; it is a ``msgspec.Raw`` then.
    """

    method: str
    route: str
    roles: frozenset[str]
    answer: type
    status: int
    once: bool
    body: Any = None
    query: Any = Nothing
    identify: Callable[[Arrival], Caller] | None = None
    parse: Callable[[bytes], Any] | None = None
    again: tuple[type[IntroducerError], ...] = ()
    form: Form | None = None
    unstored: Callable[[Call[Any, Any], Stored], Stored] | None = None
    limit_bytes: int = BODY_LIMIT_BYTES
    codes: tuple[str, ...] = ()
    location: str = ""
    media: str = inputs.JSON
    name: str = ""
    summary: str = ""


View = Callable[[Call[Any, Any]], Answer]


def answered(
    method: str,
    route: str,
    request_id: str,
    work: Callable[[], Reply],
    refuse: Callable[[Problem], Reply],
) -> Reply:
    """Return the answer to one request, whatever happens, and log one line about it.

    Args:
        method: As the log names it.
        route: With its parameters' names, never their values.
        request_id: What people quote when they ask.
        work: Makes the answer, or raises.
        refuse: Tells whoever asked what was raised.
    """
    began = time.perf_counter()
    try:
        made = work()
    except Exception as raised:  # noqa: BLE001  (the edge: everything becomes a problem document)
        failure = problem.translate(raised)
        if problem.status_of(failure) is None:
            problem.log_unexpected(failure, request_id)
        made = refuse(problem.of(failure, request_id))
    logger().info(
        "request",
        method=method,
        route=route,
        status=made.status,
        code=made.code,
        duration_ms=round((time.perf_counter() - began) * 1000),
        request_id=request_id,
    )
    headers = {
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
        "x-request-id": request_id,
    }
    return msgspec.structs.replace(made, headers={**headers, **made.headers})


def reply(spec: Endpoint, view: View, arrival: Arrival) -> Reply:
    """Return what *view* answers to *arrival*, committed, or raise what stands against it."""
    inputs.check_size(arrival.raw, spec.limit_bytes)
    who = _identify(spec, arrival)
    for value in arrival.path.values():
        if not inputs.PATH.fullmatch(value):
            raise NotFoundError("there is nothing of that name")
    body, key, kind = _body(spec, arrival)
    if kind == FORM and key is None and spec.form:
        return spec.form.answer(arrival.path)
    call = Call(
        caller=who,
        path=arrival.path,
        body=body,
        query=inputs.from_query(arrival.query, spec.query),
        now=arrival.now,
        headers=arrival.headers,
        reader=_reader(spec, arrival, who),
        kind=kind,
    )
    if not spec.once:
        return _json(spec, _do(spec, view, call))
    if not who.key:  # a message's id is its sender's own affair; the signature covers it
        once.check_key(key or "")
    answer, replayed = _do_once(spec, view, call, who.key or key or "")
    if kind == FORM and spec.form:
        return spec.form.answer(arrival.path)
    return _json(spec, answer, replayed=replayed)


def _identify(spec: Endpoint, arrival: Arrival) -> Caller:
    if spec.identify:
        return spec.identify(arrival)
    if not spec.roles:
        return callers.ANYBODY
    who = callers.from_token(arrival.context)
    callers.require_role(who, spec.roles)
    return who


def _body(spec: Endpoint, arrival: Arrival) -> tuple[Any, str | None, str]:
    """Return the decoded body, the idempotency key (None for a trapped form) and the media type."""
    key = arrival.headers.get("idempotency-key", "")
    if spec.body is None:
        return None, key, inputs.JSON
    kind = inputs.media_type(
        arrival.headers.get("content-type", ""), arrival.raw, forms=spec.form is not None
    )
    if kind == FORM and spec.form:
        pairs = inputs.form_pairs(arrival.raw)
        if any(name == TRAP_FIELD and value for name, value in pairs):
            return None, None, kind
        rest = [pair for pair in pairs if pair[0] not in {KEY_FIELD, TRAP_FIELD}]
        body = inputs.from_plain(spec.form.read(rest), spec.body)
        return body, dict(pairs).get(KEY_FIELD, key), kind
    if spec.parse:
        return spec.parse(arrival.raw), key, kind
    return inputs.from_json(arrival.raw, spec.body), key, kind


def _reader(spec: Endpoint, arrival: Arrival, who: Caller) -> str:
    filters = {
        name: value for name, value in arrival.query.items() if name not in {"cursor", "limit"}
    }
    return msgspec.json.encode(
        [who.name, spec.method, spec.route, arrival.path, filters], order="deterministic"
    ).decode()


def _do(spec: Endpoint, view: View, call: Call[Any, Any]) -> Answer:
    for left in reversed(range(_ATTEMPTS)):
        answer = view(call)
        try:
            if answer.writes:
                answer.writes.commit()
        except IntroducerError as failure:
            if not (left and _may_repeat(spec, failure)):
                raise
        else:
            return answer
    raise AssertionError


def _do_once(spec: Endpoint, view: View, call: Call[Any, Any], key: str) -> tuple[Answer, bool]:
    """Return the answer and whether it was given before."""
    program = call.path.get("program", "")
    scope = f"{program}/{call.caller.name}/{spec.method} {spec.route}"
    asked = [call.body, call.query] if spec.query is not Nothing else call.body
    this = once.once(scope, key, call.path, asked, call.now)
    stored = this.find()
    for left in reversed(range(_ATTEMPTS)):
        if stored:
            return Answer(body=_whole(spec, call, stored.body), status=stored.status), True
        try:
            answer = view(call)
            status, body = answer.status or spec.status, _flat(answer.body)
            writes = answer.writes or Transaction()
            this.add(writes, status, body)
            writes.commit()
        except _PERHAPS_DONE as failure:
            stored = this.find()
            if stored is None and not (left and _may_repeat(spec, failure)):
                raise
        else:
            return Answer(body=_whole(spec, call, body), status=status), False
    raise AssertionError


def _may_repeat(spec: Endpoint, failure: IntroducerError) -> bool:
    """Return whether the view may look again and decide anew."""
    return isinstance(failure, (StaleError, *spec.again))


def _whole(spec: Endpoint, call: Call[Any, Any], body: Stored) -> Stored:
    return {**body, **spec.unstored(call, body)} if spec.unstored else body


def _flat(body: object) -> Stored:
    """Return the answer to a POST as it is kept: ids, codes and links, nothing nested."""
    return msgspec.convert(msgspec.to_builtins(body), Stored)


def _json(spec: Endpoint, answer: Answer, *, replayed: bool = False) -> Reply:
    headers = {"content-type": spec.media, **answer.headers}
    if replayed:
        headers["idempotent-replayed"] = "true"
    if isinstance(answer.body, msgspec.Raw):
        body = bytes(answer.body).decode()
    else:
        body = msgspec.json.encode(answer.body).decode()
    if spec.location:
        headers["location"] = spec.location.format(**msgspec.to_builtins(answer.body))
    return Reply(status=answer.status or spec.status, body=body, headers=headers)
