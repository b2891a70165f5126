"""The Chalice application; the object itself is the Lambda handler.

One folder, a function for each circle of callers: ``public``, ``partner``, ``rep``, ``staff``,
``rules``, ``finance`` and ``inbound`` each make their application of the resources they serve.
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from chalice.app import Chalice, Request, Response

from introducer import startup  # noqa: F401  (before our own chain of imports)
from submit import problem
from submit.http import Endpoint, Resource, problem_reply


class App(Chalice):
    """A Chalice application that knows its endpoints."""

    endpoints: tuple[Endpoint, ...] = ()


def make_app(name: str, *resources: Resource) -> App:
    """Return the application *name* with the routes of *resources*."""
    # An empty `env`: Chalice would write its name into the process's environment.
    app = App(app_name=name, configure_logs=False, env={})
    for resource in resources:
        app.register_blueprint(resource.blueprint)
    app.endpoints = tuple(spec for resource in resources for spec in resource.endpoints)
    app.register_middleware(_own_words, "http")
    return app


def _own_words(request: Request, get_response: Callable[[Request], Response]) -> Response:
    """Turn what Chalice answers by itself, such as 405, into a problem document."""
    response = get_response(request)
    if "x-request-id" in response.headers:
        return response
    request_id = str(request.context.get("requestId", ""))
    status = HTTPStatus(response.status_code)
    code = status.phrase.lower().replace(" ", "_")
    reply = problem_reply(problem.plain(status, code, status.description or code, request_id))
    headers = {**response.headers, **reply.headers, "x-request-id": request_id}
    return Response(body=reply.body, status_code=status.value, headers=headers)
