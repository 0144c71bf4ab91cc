"""The page itself, who one is, the live figures and the lists of decisions."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from importlib import metadata
from pathlib import Path
from typing import TypeVar

import msgspec
from aiohttp import web

from console.access import Person, Role
from console.feeds import Wanted
from console.guards import COOKIE, NEEDS, PERSON, Refused, answer, person_of, signed_in
from console.site import SITE
from schemas import LABELS, Action
from schemas.wire import decode_json

ASSETS = Path(__file__).resolve().parent / "assets"
TYPES = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}
"""What is served of the assets' folder; licences and notes beside them are not."""

MAX_LIMIT = 1_000
DEFAULT_LIMIT = 100

H = TypeVar("H", bound=Callable[[web.Request], Awaitable[web.StreamResponse]])


def needs(role: Role) -> Callable[[H], H]:
    """A handler that only people with this role reach."""

    def marked(handler: H) -> H:
        setattr(handler, NEEDS, role)
        return handler

    return marked


async def index(request: web.Request) -> web.StreamResponse:
    """The page."""
    del request
    return _asset(ASSETS / "index.html")


async def asset(request: web.Request) -> web.StreamResponse:
    """A file of the page's."""
    try:
        path = (ASSETS / request.match_info["path"]).resolve()
        known = path.is_relative_to(ASSETS) and path.suffix in TYPES and path.is_file()
    except (OSError, ValueError):  # a name that no file can have
        raise web.HTTPNotFound from None
    if not known:
        raise web.HTTPNotFound
    return _asset(path)


async def alive(request: web.Request) -> web.StreamResponse:
    """For probes: the server answers."""
    del request
    return answer({"ok": True})


async def session(request: web.Request) -> web.StreamResponse:
    """Who asks, and what they may do."""
    site = request.app[SITE]
    person = person_of(request, site.access)
    return answer(
        {
            "who": None if person is None else person.name,
            "role": None if person is None else person.role,
            "may": {
                "content": _may(person, Role.REVIEWER),
                "feedback": _may(person, Role.REVIEWER),
                "dead_letters": _may(person, Role.OPERATOR),
            },
            "version": None if person is None else metadata.version("modstream"),
            "group": None if person is None else site.settings.group,
            "actions": [action.value for action in Action],
            "labels": list(LABELS),
            "login_required": site.access.login_required,
        }
    )


class _Login(msgspec.Struct):
    token: str


_login_decoder = msgspec.json.Decoder(_Login)
MAX_LOGIN_BYTES = 4096


async def login(request: web.Request) -> web.StreamResponse:
    """Begin a session with a token."""
    site = request.app[SITE]
    if not site.access.login_required:
        raise Refused(409, "nobody has to sign in here: no tokens are set")
    raw = await request.read()
    given = decode_json(raw, _login_decoder, schema="a login", max_bytes=MAX_LOGIN_BYTES)
    person = signed_in(site.access, given.token, request)
    site.access.end(request.cookies.get(COOKIE, ""))  # this browser's last one, which its new cookie replaces
    response = answer({"who": person.name, "role": person.role})
    response.set_cookie(
        COOKIE,
        site.access.begin(person),
        max_age=int(site.settings.console.session_hours * 3600),
        path="/",
        httponly=True,
        samesite="Strict",
        secure=site.settings.console.https,
    )
    return response


async def logout(request: web.Request) -> web.StreamResponse:
    """End the session."""
    site = request.app[SITE]
    site.access.end(request.cookies.get(COOKIE, ""))
    response = answer({})
    response.del_cookie(COOKIE, path="/")
    return response


@needs(Role.VIEWER)
async def live(request: web.Request) -> web.StreamResponse:
    """The live figures, as server-sent events."""
    site = request.app[SITE]
    known: Person = request[PERSON]

    def goes_on() -> bool:
        return "Authorization" in request.headers or person_of(request, site.access) == known

    return await site.live.serve(request, goes_on)


@needs(Role.VIEWER)
async def state(request: web.Request) -> web.StreamResponse:
    """The event `state` of now, for who does not want to follow."""
    return answer(request.app[SITE].figures.state())


@needs(Role.VIEWER)
async def history(request: web.Request) -> web.StreamResponse:
    """The last quarter of an hour."""
    return answer(request.app[SITE].figures.history())


@needs(Role.VIEWER)
async def decisions(request: web.Request) -> web.StreamResponse:
    """The newest decisions that match."""
    wanted = Wanted(
        **{name: request.query.get(name) or None for name in ("action", "flag", "tenant", "lang", "post_id")}
    )
    return answer({"decisions": request.app[SITE].feeds.decisions(wanted, limit_of(request))})


@needs(Role.VIEWER)
async def flags(request: web.Request) -> web.StreamResponse:
    """The newest flags."""
    return answer({"flags": request.app[SITE].feeds.flags(limit_of(request))})


def limit_of(request: web.Request) -> int:
    """How many rows are asked for. Raises `Refused`."""
    text = request.query.get("limit", str(DEFAULT_LIMIT))
    if not (text.isascii() and text.isdecimal() and len(text) < 6 and 1 <= int(text) <= MAX_LIMIT):
        raise Refused(400, f"limit: expected a whole number from 1 to {MAX_LIMIT:,}")
    return int(text)


def _may(person: Person | None, role: Role) -> bool:
    return person is not None and person.role.may(role)


def _asset(path: Path) -> web.Response:
    charset = None if path.suffix in (".png", ".woff2") else "utf-8"
    headers = {"Cache-Control": "no-cache"}
    return web.Response(body=path.read_bytes(), content_type=TYPES[path.suffix], charset=charset, headers=headers)
