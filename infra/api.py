"""A small HTTP client of a running stack, as a front end or an operator would use it.

Calls of the API are made with the standard library: ``curl`` can make the same ones.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

STACK_FILE = Path(".local/stack.json")


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server said. ``body`` is decoded when it is JSON, else text."""

    status: int
    headers: dict[str, str]
    body: Any

    def expect(self, *statuses: int) -> Answer:
        """Return the answer itself when its status is one of *statuses*.

        Raises:
            SystemExit: It is another; the message holds the whole answer.
        """
        if self.status not in statuses:
            message = f"expected {statuses}, was answered {self.status}: {self.body}"
            raise SystemExit(message)
        return self


@dataclass(frozen=True, slots=True)
class Stack:
    """Where a deployed stack is reached, as written by the deploy."""

    outputs: dict[str, Any] = field(repr=False)

    @classmethod
    def load(cls, path: Path = STACK_FILE) -> Stack:
        """Read the outputs of the last deploy."""
        return cls(json.loads(path.read_text()))

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401
        return self.outputs[name]

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        token: str = "",
        key: str = "",
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """Call the REST API.

        Args:
            method: GET, POST or PUT.
            path: From ``/v1`` on.
            body: Sent as JSON; bytes are sent as they are.
            token: An ID token.
            key: The idempotency key; a random one when a POST has none.
            headers: More headers.
        """
        sent = {"content-type": "application/json", **(headers or {})}
        if token:
            sent["authorization"] = f"Bearer {token}"
        if method == "POST":
            sent.setdefault("idempotency-key", key or str(uuid.uuid4()))
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        return http(method, self["api_url"] + path, data, sent)

    def sign_up(self, email: str, password: str) -> None:
        """Register a login, as the portal does; an existing one is fine."""
        answer = self._cognito(
            "SignUp",
            {
                "ClientId": self["client_id"],
                "Username": email,
                "Password": password,
                "UserAttributes": [{"Name": "email", "Value": email}],
            },
        )
        if "UsernameExists" in str(answer.body):
            return
        answer.expect(200)
        # The code is in a mail; the embedded AWS mails everybody the same one.
        self._cognito(
            "ConfirmSignUp",
            {"ClientId": self["client_id"], "Username": email, "ConfirmationCode": "123456"},
        ).expect(200)

    def sign_in(self, email: str, password: str) -> str:
        """Return an ID token."""
        answer = self._cognito(
            "InitiateAuth",
            {
                "ClientId": self["client_id"],
                "AuthFlow": "USER_PASSWORD_AUTH",
                "AuthParameters": {"USERNAME": email, "PASSWORD": password},
            },
        ).expect(200)
        return str(answer.body["AuthenticationResult"]["IdToken"])

    def _cognito(self, operation: str, body: dict[str, object]) -> Answer:
        headers = {
            "content-type": "application/x-amz-json-1.1",
            "x-amz-target": f"AWSCognitoIdentityProviderService.{operation}",
        }
        return http("POST", self["cognito_url"], json.dumps(body).encode(), headers)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Show a redirect as it is; the demo wants to see the click's answer."""

    def redirect_request(self, *_: object, **__: object) -> None:
        return None


_OPENER = urllib.request.build_opener(_NoRedirect)


def http(
    method: str, url: str, data: bytes | None = None, headers: dict[str, str] | None = None
) -> Answer:
    """Make one request; redirects are not followed and errors are answers."""
    request = urllib.request.Request(url, data, headers or {}, method=method)  # noqa: S310
    try:
        with _OPENER.open(request, timeout=60) as response:
            return _answer(response.status, response.headers, response.read())
    except urllib.error.HTTPError as failure:
        return _answer(failure.code, failure.headers, failure.read())


def _answer(status: int, headers: Any, raw: bytes) -> Answer:  # noqa: ANN401
    text = raw.decode(errors="replace")
    if "json" in headers.get("content-type", ""):
        text = json.loads(text or "null")
    return Answer(status, {name.lower(): value for name, value in headers.items()}, text)
