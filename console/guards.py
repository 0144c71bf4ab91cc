"""What every request passes and every answer carries, whatever it asks for."""

from __future__ import annotations

import asyncio
import logging

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from confluent_kafka import KafkaException

from console.access import LOCAL, Access, Person, Role, TooManyGuesses, WrongToken, is_loopback
from console.live import TooManyPages
from schemas import InvalidMessage
from streams.kafka import Unreachable
from streams.topics import TopicsError

COOKIE = "modstream-session"
CSRF_HEADER = "X-Modstream"
"""A page of another site cannot send it without asking first, and is not answered when it asks."""

MAX_BODY_BYTES = 256 * 1024
"""The largest request: a feedback with all the marks that it may have, and long words for each."""

BODY_TIMEOUT_S = 20.0
"""For all of a request to arrive."""

PERSON = web.RequestKey("person", Person)
NEEDS = "modstream_needs"
"""The role that a handler needs, as its attribute; None for what anybody may ask."""

SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "Server": "modstream",  # not which version of what
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

log = logging.getLogger(__name__)


class Refused(Exception):
    """A request that is not done; `status` and one sentence for the person who asked."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence


def answer(value: object, status: int = 200) -> web.Response:
    """JSON."""
    headers = {"Cache-Control": "no-store"}
    return web.Response(
        body=msgspec.json.encode(value), status=status, content_type="application/json", headers=headers
    )


async def dress(request: web.Request, response: web.StreamResponse) -> None:
    """The headers of every answer; a signal handler, so that streams have them too."""
    del request
    for name, value in SECURITY_HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers["Server"] = SECURITY_HEADERS["Server"]
    response.headers.setdefault("Cache-Control", "no-store")


@web.middleware
async def faults_as_json(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Everything that goes wrong as `{"error": "one sentence"}`; what nobody expected is logged, without the post."""
    status, sentence = 500, "a fault of the console's own: its log has more"
    try:
        return await handler(request)
    except Refused as refused:
        status, sentence = refused.status, refused.sentence
    except InvalidMessage as error:
        status, sentence = 400, str(error)
    except TooManyPages:
        status, sentence = 503, "as many pages follow the live figures as may (console.max_streams)"
    except (KafkaException, TopicsError, Unreachable, TimeoutError) as error:
        log.warning("Kafka did not answer: %s", error)
        status, sentence = 503, "Kafka did not answer: try again in a moment"
    except web.HTTPException as error:
        if error.status < 400:
            raise
        status, sentence = error.status, _SENTENCES.get(error.status, error.reason)
    except Exception:
        log.exception("a request to %s failed", request.match_info.route.resource and request.match_info.handler)
    return answer({"error": sentence}, status)


_SENTENCES = {
    404: "there is no such page",
    405: "this address does not take that method",
    413: f"too large: expected at most {MAX_BODY_BYTES:,} bytes",
}


def host_is_ours(host: str) -> Middleware:
    """Answers only to names of this machine where it listens on loopback: a page of another site whose name was made to
    lead here (DNS rebinding) comes with its own."""
    names = {"localhost", "127.0.0.1", "::1", host.strip("[]").lower()}

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        if is_loopback(host) and _name_of(request.headers.get("Host", "")) not in names:
            raise Refused(403, "this console answers to localhost only: open it under that name")
        return await handler(request)

    return check


@web.middleware
async def own_pages_only(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Nothing is changed for a page of another site."""
    if request.method not in ("GET", "HEAD"):
        if request.headers.get(CSRF_HEADER) != "1":
            raise Refused(403, f"expected the header {CSRF_HEADER}: 1")
        origin = request.headers.get("Origin")
        if origin is not None and origin.lower().partition("://")[2] != request.headers.get("Host", "").lower():
            raise Refused(403, "this request comes from a page of another site")
        try:
            await asyncio.wait_for(request.read(), BODY_TIMEOUT_S)  # handlers find it there
        except TimeoutError:
            raise Refused(400, f"the request did not arrive within {BODY_TIMEOUT_S:g} s") from None
    return await handler(request)


def known_people(access: Access) -> Middleware:
    """Sees to it that whoever asks may do so."""

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        person = person_of(request, access)
        needed: Role | None = getattr(request.match_info.handler, NEEDS, None)
        if person is not None:
            request[PERSON] = person
        if needed is not None:
            if person is None:
                raise Refused(401, "sign in first")
            if not person.role.may(needed):
                raise Refused(403, f"this needs the role {needed}, and yours is {person.role}")
        return await handler(request)

    return check


def person_of(request: web.Request, access: Access) -> Person | None:
    """Who asks, by token or by session. Raises `Refused` for a wrong token."""
    if not access.login_required:
        return LOCAL
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return signed_in(access, token.strip(), request)
    session = request.cookies.get(COOKIE)
    return None if session is None else access.by_session(session)


def signed_in(access: Access, token: str, request: web.Request) -> Person:
    """The person with this token. Raises `Refused`."""
    try:
        return access.by_token(token, request.remote or "")
    except WrongToken:
        raise Refused(401, "nobody has this token") from None
    except TooManyGuesses:
        raise Refused(429, "too many wrong tokens: try again in a minute") from None


def _name_of(host: str) -> str:
    """The name in a Host header, without its port and brackets."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.rpartition(":")[0].lower() if ":" in host else host.lower()
