"""Who may reach the desk in the browser: whoever was given the address in the terminal, and no page of another site.

Any program on the machine can connect to the port, and any page that the browser shows can try to. So the address
holds a key that serves once; what goes on from there is a cookie. Cookies do not tell ports apart: this one goes only
to a path that has a random name, so that another program's page on this machine is not sent it.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

COOKIE = "secondlook"
_MOST_BROWSERS = 100
# The page that sets the cookie goes on by itself: a redirect would be refused the cookie where the address was opened
# from another site's page, such as a terminal in the browser.
_ENTER = """<!doctype html><html lang="en"><meta charset="utf-8"><title>secondlook</title>
<meta http-equiv="refresh" content="0; url={where}"><p><a href="{where}">Open the desk</a></p></html>
"""
_CLOSED = (
    "This is the desk of somebody on this machine. It opens with the address that `secondlook web` shows in its "
    "terminal; each address serves once."
)


class Gate:
    """The keys and cookies of one server."""

    def __init__(self, port: int, tell: Callable[[str], None]) -> None:
        """`tell` is given each address that opens the desk: one at first, another when that has served."""
        self._host = f"127.0.0.1:{port}"
        self._tell = tell
        self._key = secrets.token_urlsafe(32)
        self._cookies: set[str] = set()
        self.place = f"/{secrets.token_urlsafe(12)}"

    @property
    def origin(self) -> str:
        """What the browser calls our pages' origin."""
        return f"http://{self._host}"

    @property
    def address(self) -> str:
        """The address that opens the desk, once."""
        return f"{self.origin}{self.place}/?key={self._key}"

    @property
    def middleware(self) -> Middleware:
        """Lets requests through, or answers them."""

        @web.middleware
        async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
            if not self._is_ours(request):
                raise web.HTTPForbidden(text=_CLOSED)
            if request.path == f"{self.place}/" and "key" in request.query:
                return self._enter(request)
            if not self._knows(request):
                raise web.HTTPForbidden(text=_CLOSED)
            return await handler(request)

        return check

    async def headers(self, _request: web.Request, response: web.StreamResponse) -> None:
        """Keeps pages to themselves: nothing from elsewhere, in no frame, in no cache."""
        response.headers["Content-Security-Policy"] = (
            # The terminal sets styles of its own.
            "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self'; img-src 'self' "
            f"data:; connect-src 'self' ws://{self._host}; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
        )
        response.headers["Cache-Control"] = "no-store"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["X-Frame-Options"] = "DENY"
        response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
        response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
        response.headers.popall("Server", None)

    def _is_ours(self, request: web.Request) -> bool:
        """Whether the browser means us (another name for this address is DNS rebinding), and asks for a page of ours:
        a websocket has no same-origin policy but this."""
        origin = request.headers.get("Origin")
        if request.headers.getall("Host", []) != [self._host]:
            return False
        if "upgrade" in request.headers.get("Connection", "").lower() and origin is None:
            return False
        return origin is None or origin == self.origin

    def _enter(self, request: web.Request) -> web.StreamResponse:
        """Gives a cookie for a key. A browser that has one goes on, whatever key it shows."""
        page = web.Response(text=_ENTER.format(where=f"{self.place}/"), content_type="text/html")
        if self._knows(request):
            return page
        if not _same(request.query["key"], self._key) or len(self._cookies) >= _MOST_BROWSERS:
            raise web.HTTPForbidden(text=_CLOSED)
        self._key = secrets.token_urlsafe(32)
        cookie = secrets.token_urlsafe(32)
        self._cookies.add(cookie)
        page.set_cookie(COOKIE, cookie, path=self.place, httponly=True, samesite="Strict")
        self._tell(self.address)
        return page

    def _knows(self, request: web.Request) -> bool:
        shown = request.cookies.get(COOKIE, "")
        return any(_same(shown, cookie) for cookie in self._cookies)


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode("utf-8", "replace"), other.encode())
