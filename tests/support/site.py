"""The landing page behind a real socket: what the HTTP API does, in the test's own process."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

from tests.support import pages

PREFIX = "/behind/a/prefix"
"""A stage or a proxy may put something before the path; the page must not mind."""


@dataclass
class Site:
    """Where the pages are, and what was asked for."""

    address: str
    seen: list[tuple[str, str, str]] = field(default_factory=list)
    """Method, path with query, and the Cookie header of each request."""

    def page(self, slug: str = pages.CODE, query: str = "") -> str:
        """Return the address of a page."""
        return f"{self.address}{PREFIX}/p/{slug}{query}"


@contextmanager
def serve() -> Iterator[Site]:
    """Serve the pages on a free port of this machine."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.site = Site(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers["content-length"])))

    def _answer(self, body: bytes) -> None:
        cookie = self.headers.get("cookie", "")
        self.server.site.seen.append((self.command, self.path, cookie))
        path, _, query = self.path.removeprefix(PREFIX).partition("?")
        if not path.startswith("/p/"):
            self.send_error(404)
            return
        made = pages.call(
            self.command,
            unquote(path.removeprefix("/p/")),
            query,
            body=body,
            cookies=[each for each in cookie.split("; ") if each],
            headers={name.lower(): value for name, value in self.headers.items()},
        )
        raw = made.body.encode()
        self.send_response(made.status)
        for name, value in made.headers.items():
            self.send_header(name, value)
        # Whoever blocks cookies must not be worse off for it.
        self.send_header("set-cookie", "elsewhere=set; Path=/")
        self.send_header("content-length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing: the functions log by themselves."""
