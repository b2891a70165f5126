"""What is served for a measurement: ``python -m bench.served click|submit|pinax``.

Each is called the way its own platform calls it: the redirect with API Gateway's payload
2.0, the API with its payload 1.0, the Django application by WSGI.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

from bench.front import Answer, Request, Respond, serve

CODE = "abcdefgh"
DESTINATION = "https://shop.example.com/fiber"


def click() -> Respond:
    """Return our redirect."""
    from submit.click import handler

    def respond(request: Request) -> Answer:
        event = {
            "version": "2.0",
            "rawQueryString": request.query,
            "cookies": [],
            "headers": request.headers,
            "requestContext": {
                "http": {"method": request.method, "sourceIp": request.headers["x-forwarded-for"]}
            },
            "pathParameters": {"code": request.path.rpartition("/")[2]},
        }
        answer = handler(event, None)
        cookies = [("set-cookie", each) for each in answer.get("cookies", ())]
        return Answer(
            answer["statusCode"], [*answer["headers"].items(), *cookies], answer["body"].encode()
        )

    return respond


def submit() -> Respond:
    """Return our public API.

    Its framework keeps the request in the application, so it takes one at a time.
    """
    from bench.messages import rest_event
    from bench.world import CONTEXT
    from submit.public import app

    def respond(request: Request) -> Answer:
        _, _, program, _ = request.path.removeprefix("/").split("/")
        event = rest_event(
            request.method,
            "/v1/programs/{program}/referrals",
            request.body.decode(),
            path={"program": program},
            number=int(request.headers["x-number"]),
        )
        answer: dict[str, Any] = app(event, CONTEXT)
        return Answer(answer["statusCode"], [], str(answer["body"]).encode())

    return respond


def pinax() -> Respond:
    """Return the baseline: a Django application with one referral, SQLite in this folder."""
    import os

    import django
    from django.conf import settings

    database = {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["PINAX_DATABASE"]}
    sessions = "django.contrib.sessions"
    auth = "django.contrib.auth"
    apps = [auth, "django.contrib.contenttypes", sessions, "django.contrib.sites"]
    settings.configure(
        ALLOWED_HOSTS=["go.example.com"],
        # As the Django documentation advises for writers on several threads.
        DATABASES={
            "default": database
            | {
                "CONN_MAX_AGE": None,
                "OPTIONS": {
                    "timeout": 30,
                    "transaction_mode": "IMMEDIATE",
                    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
                },
            }
        },
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        INSTALLED_APPS=[*apps, "pinax.referrals"],
        MIDDLEWARE=[
            f"{sessions}.middleware.SessionMiddleware",
            f"{auth}.middleware.AuthenticationMiddleware",
        ],
        PINAX_REFERRALS_ALLOWED_REDIRECT_HOSTS=["shop.example.com"],
        ROOT_URLCONF="pinax.referrals.urls",
        SECRET_KEY="bench",
        SITE_ID=1,
    )
    django.setup()
    from django.core.management import call_command
    from django.core.wsgi import get_wsgi_application
    from pinax.referrals.models import Referral

    call_command("migrate", verbosity=0)
    Referral.objects.create(code=CODE, redirect_to=DESTINATION)
    application = get_wsgi_application()

    def respond(request: Request) -> Answer:
        said: list[Any] = []
        environ = {
            "REQUEST_METHOD": request.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": f"/{request.path.rpartition('/')[2]}",
            "QUERY_STRING": request.query,
            "SERVER_NAME": "go.example.com",
            "SERVER_PORT": "443",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "wsgi.url_scheme": "https",
            "wsgi.input": io.BytesIO(request.body),
            "wsgi.errors": sys.stderr,
            "wsgi.version": (1, 0),
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            "REMOTE_ADDR": request.headers["x-forwarded-for"],
            **{f"HTTP_{n.upper().replace('-', '_')}": v for n, v in request.headers.items()},
        }
        answer = application(environ, lambda status, headers: said.extend((status, headers)))
        body = b"".join(answer)
        answer.close()
        return Answer(int(said[0].split()[0]), said[1], body)

    return respond


SUBJECTS = {"click": click, "submit": submit, "pinax": pinax}

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).resolve().parent.parent)]
    serve(SUBJECTS[sys.argv[1]](), threads=sys.argv[1] != "submit")
