"""The API behind API Gateway: routes and responses in Chalice's terms.

A view of ten lines is registered with :meth:`Resource.endpoint`; what happens between request
and answer is :mod:`submit.exchange`'s affair. Its names are repeated here for the views.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import msgspec
from chalice.app import Blueprint, Request, Response

from introducer import clock
from submit import exchange, page, problem
from submit.exchange import (
    BODY_LIMIT_BYTES,
    KEY_FIELD,
    TRAP_FIELD,
    Answer,
    Arrival,
    Call,
    Endpoint,
    Form,
    Reply,
    View,
)
from submit.inputs import FORM
from submit.problem import RequestError

__all__ = [
    "BODY_LIMIT_BYTES",
    "KEY_FIELD",
    "TRAP_FIELD",
    "Answer",
    "Arrival",
    "Call",
    "Endpoint",
    "Form",
    "Reply",
    "Resource",
    "View",
    "handle",
    "problem_reply",
]


class Resource:
    """The routes of one resource: a Chalice blueprint and the list of its endpoints."""

    def __init__(self, name: str) -> None:
        self.blueprint = Blueprint(name)
        self.endpoints: list[Endpoint] = []

    def endpoint(
        self,
        method: str,
        route: str,
        *,
        answer: type,
        roles: frozenset[str] = frozenset(),
        status: int = 200,
        once: bool = True,
        **options: Any,  # noqa: ANN401  (the fields of Endpoint, each checked there)
    ) -> Callable[[View], View]:
        """Register the decorated view; *options* are the other fields of :class:`Endpoint`.

        A POST that stores nothing says ``once=False`` and needs no idempotency key.
        """

        def register(view: View) -> View:
            spec = Endpoint(
                method=method,
                route=route,
                roles=roles,
                answer=answer,
                status=status,
                once=once and method == "POST",
                name=view.__name__,
                summary=(view.__doc__ or "").strip(),
                **options,
            )
            self.endpoints.append(spec)

            def serve(**path: str) -> Response:
                return handle(spec, view, self.blueprint.current_request, path)

            # Media types are checked by us: Chalice's own answer is no problem document.
            self.blueprint.route(
                route, methods=[method], name=f"{method} {route}", content_types=[]
            )(serve)
            return view

        return register


def handle(spec: Endpoint, view: View, request: Request, path: dict[str, str]) -> Response:
    """Answer one request, whatever happens, and log one line about it."""
    request_id = str(request.context.get("requestId", ""))
    as_page = spec.form is not None and FORM in request.headers.get("content-type", "")
    made = exchange.answered(
        spec.method,
        spec.route,
        request_id,
        lambda: exchange.reply(spec, view, _arrival(request, path, request_id)),
        lambda document: problem_reply(document, as_page=as_page),
    )
    headers: dict[str, str | list[str]] = {**made.headers}
    origin = os.environ.get("ALLOW_ORIGIN", "")
    if origin:
        headers.setdefault("access-control-allow-origin", origin)
        headers.setdefault(
            "access-control-expose-headers", "idempotent-replayed,location,x-request-id,retry-after"
        )
    return Response(body=made.body, status_code=made.status, headers=headers)


def _arrival(request: Request, path: dict[str, str], request_id: str) -> Arrival:
    try:
        raw = request.raw_body
    except ValueError as failure:
        raise RequestError("malformed_body", "the body cannot be decoded") from failure
    return Arrival(
        path=path,
        headers=request.headers,
        context=request.context,
        query=request.to_original_event().get("multiValueQueryStringParameters") or {},
        raw=raw.encode() if isinstance(raw, str) else raw,
        now=clock.now(),
        request_id=request_id,
    )


def problem_reply(document: problem.Problem, *, as_page: bool = False) -> Reply:
    """Return *document* as JSON or, to somebody who sent a form, as a small page."""
    headers = {"content-type": "application/problem+json"}
    if document.status == problem.UNAVAILABLE:
        headers["retry-after"] = str(problem.RETRY_AFTER_S)
    if as_page:
        headers |= page.HEADERS
        lines = [document.detail, *(f"{each.field}: {each.detail}" for each in document.errors)]
        body = page.render("This could not be sent", lines)
    else:
        body = msgspec.json.encode(document).decode()
    return Reply(status=document.status, body=body, headers=headers, code=document.code)
