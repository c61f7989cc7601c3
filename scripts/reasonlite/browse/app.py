"""The server: reads only, answers on the loopback unless told otherwise, to whoever has the token."""

from __future__ import annotations

import asyncio
import hmac
import logging
import secrets
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlencode

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from reasonlite.browse import views
from reasonlite.browse.folder import Missing
from reasonlite.browse.site import PAGES, Ask, Site

log = logging.getLogger("browse")
COOKIE = "browse"
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self';"
    " base-uri 'none'; frame-ancestors 'none'"
)
# a picture may be opened by itself; what is in it then runs nothing either
PICTURE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
KINDS = {".svg": "image/svg+xml", ".png": "image/png", ".css": "text/css", ".js": "text/javascript"}


def application(site: Site, token: str, hosts: list[str]) -> Starlette:
    """The web application; ``hosts``: names under which it may be asked, so that no other site's page can."""
    at_once = asyncio.Semaphore(4)

    def guarded(handle: Callable[[Request], Any]) -> Callable[[Request], Any]:
        async def answer(request: Request) -> Response:
            given = request.query_params.get("token")
            if given is not None and hmac.compare_digest(given.encode(), token.encode()):
                return _admitted(request, token)
            known = request.cookies.get(f"{COOKIE}-{request.url.port or 80}", "")
            if not hmac.compare_digest(known.encode(), token.encode()):
                text = "Open the address that the terminal shows: it has a token, without which nothing is shown here."
                return _finished(PlainTextResponse(text, 403), POLICY)
            async with at_once:
                made: Response = await run_in_threadpool(handle, request)
            return made

        return answer

    def view(request: Request) -> Response:
        name = request.path_params.get("view", "overview")
        ask = Ask(request.query_params.multi_items())
        try:
            return _finished(HTMLResponse(views.page(site, name, ask)), POLICY)
        except Missing as error:
            return _finished(HTMLResponse(site.render("missing", {"said": str(error)}), 404), POLICY)
        except Exception:
            log.exception("the page %s cannot be made", request.url.path)
            said = "This page cannot be made; the terminal says why. Please report it."
            return _finished(HTMLResponse(site.render("missing", {"said": said}), 500), POLICY)

    def static(request: Request) -> Response:
        path = PAGES / request.url.path.rpartition("/")[2]
        return _finished(FileResponse(path, media_type=KINDS[path.suffix]), POLICY)

    routes = [
        Route("/style.css", guarded(static)),
        Route("/page.js", guarded(static)),
        Route("/icon.svg", guarded(static)),
        Route("/file", guarded(lambda request: _file(site, request))),
        Route("/picture", guarded(lambda request: _picture(site, request))),
        Route("/", guarded(view)),
        Route("/{view:str}", guarded(view)),
    ]
    return Starlette(routes=routes, middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=hosts)])


def _admitted(request: Request, token: str) -> Response:
    """Put the token into a cookie and out of the address, so that addresses can be shared and logged."""
    rest = [(name, value) for name, value in request.query_params.multi_items() if name != "token"]
    path = request.url.path
    reply = RedirectResponse(f"{path}?{urlencode(rest)}" if rest else path, 303)
    reply.set_cookie(f"{COOKIE}-{request.url.port or 80}", token, httponly=True, samesite="strict")
    return _finished(reply, POLICY)


def _finished(reply: Response, policy: str) -> Response:
    reply.headers.update(HEADERS | {"Content-Security-Policy": policy})
    return reply


def _file(site: Site, request: Request) -> Response:
    name = request.query_params.get("name", "")
    parts = PurePosixPath(name).parts
    try:
        if parts[:1] != ("figures",) or PurePosixPath(name).suffix not in {".svg", ".png"}:
            raise Missing(f"{name!r} is no figure")
        path = site.folder.inside(name)
    except Missing as error:
        return _finished(PlainTextResponse(str(error), 404), POLICY)
    return _finished(FileResponse(path, media_type=KINDS[path.suffix]), PICTURE_POLICY)


def _picture(site: Site, request: Request) -> Response:
    try:
        pair = site.states().pictures.get(request.query_params.get("name", ""))
    except Missing as error:
        return _finished(PlainTextResponse(str(error), 404), POLICY)
    if pair is None:
        return _finished(PlainTextResponse("there is no such picture", 404), POLICY)
    chosen = pair[request.query_params.get("side") == "1"]
    return _finished(FileResponse(chosen, media_type="image/png"), PICTURE_POLICY)


def new_token() -> str:
    return secrets.token_urlsafe(24)
