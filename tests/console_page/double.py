"""A console server whose answers a test chooses: for hostile posts and states that a real chain reaches only by luck.

It serves the page's own files with the real server's headers. What a test puts into its attributes is what the page
is told; what the page sends is kept in `received`.
"""

from __future__ import annotations

import asyncio
import json
import threading
from pathlib import Path
from typing import Any

from aiohttp import web

from console.guards import SECURITY_HEADERS
from console.pages import ASSETS, TYPES
from tests.console_page import made

STATE_EVERY_S = 0.2
"""Five times as often as the real server, so that tests wait less."""


class Double:
    """Runs in a thread of its own between `start()` and `stop()`."""

    def __init__(self) -> None:
        self.session: dict[str, Any] = made.session()
        self.state: dict[str, Any] = made.state()
        self.history: dict[str, Any] = made.history()
        self.decisions: list[dict[str, Any]] = made.decisions()
        self.flags: list[dict[str, Any]] = made.flags()
        self.posts: dict[str, dict[str, Any]] = {}
        self.media: dict[str, tuple[bytes, str]] = {}
        self.letters: list[dict[str, Any]] = []
        self.letters_failing: dict[tuple[int, int], str] = {}
        self.token: str | None = None
        """The token that signs in; None where nobody has to."""
        self.refusals: dict[str, tuple[int, str]] = {}
        """Path below /api/ -> the status and sentence that it answers with."""
        self.received: list[tuple[str, dict[str, Any], dict[str, str]]] = []
        """(path below /api/, body, headers) of every POST."""
        self.freezing_clock = False
        """Send `state` with its own `at_ms`, not with the time of now."""
        self.url = ""
        self._signed_in = False
        self._streams: set[asyncio.Queue[tuple[str, Any] | None]] = set()
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="console-double")
        self._over: asyncio.Event | None = None

    def start(self) -> None:
        self._thread.start()
        assert self._ready.wait(30)

    def stop(self) -> None:
        over = self._over
        assert over is not None
        self._loop.call_soon_threadsafe(over.set)
        self._thread.join(30)

    def tell(self, event: str, data: dict[str, Any]) -> None:
        """An event to every page that follows."""

        def put() -> None:
            for stream in self._streams:
                stream.put_nowait((event, data))

        self._loop.call_soon_threadsafe(put)

    def cut_streams(self) -> None:
        """Break every live connection."""

        def end() -> None:
            for stream in self._streams:
                stream.put_nowait(None)

        self._loop.call_soon_threadsafe(end)

    def end_sessions(self) -> None:
        """As when the server starts anew: nobody is signed in, and nobody is told anything any more."""
        self._signed_in = False
        self.cut_streams()

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._run())
        self._loop.close()

    async def _run(self) -> None:
        self._over = asyncio.Event()
        app = web.Application(middlewares=[self._dressed])
        app.add_routes(
            [
                web.get("/", self._index),
                web.get("/assets/{path:.+}", self._asset),
                web.get("/api/session", self._session),
                web.post("/api/login", self._login),
                web.post("/api/logout", self._logout),
                web.get("/api/live", self._live),
                web.get("/api/history", self._answering("history")),
                web.get("/api/decisions", self._decisions),
                web.get("/api/flags", self._flags),
                web.get("/api/posts/{post_id:.+}", self._post),
                web.get("/api/media/{token}", self._media),
                web.post("/api/feedback", self._feedback),
                web.get("/api/dead-letters", self._letters),
                web.get("/api/dead-letters/{partition}/{offset}", self._letter),
                web.post("/api/dead-letters/replay", self._replay),
            ]
        )
        runner = web.AppRunner(app, shutdown_timeout=1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{port}/"
        self._ready.set()
        await self._over.wait()
        for stream in self._streams:
            stream.put_nowait(None)
        await runner.cleanup()

    @web.middleware
    async def _dressed(self, request: web.Request, handler: Any) -> web.StreamResponse:
        path = request.path.removeprefix("/api/")
        if path in self.refusals:
            status, sentence = self.refusals[path]
            response: web.StreamResponse = web.json_response({"error": sentence}, status=status)
        elif request.path.startswith("/api/") and path not in ("session", "login") and not self._known:
            response = web.json_response({"error": "sign in first"}, status=401)
        elif request.method == "POST" and request.headers.get("X-Modstream") != "1":
            response = web.json_response({"error": "the header X-Modstream is missing"}, status=403)
        else:
            if request.method == "POST":
                self.received.append((path, await request.json(), dict(request.headers)))
            response = await handler(request)
        if not response.prepared:
            response.headers.update(SECURITY_HEADERS)
        return response

    @property
    def _known(self) -> bool:
        return self.token is None or self._signed_in

    async def _index(self, request: web.Request) -> web.StreamResponse:
        return _file(ASSETS / "index.html")

    async def _asset(self, request: web.Request) -> web.StreamResponse:
        return _file(ASSETS / request.match_info["path"])

    async def _session(self, request: web.Request) -> web.StreamResponse:
        if not self._known:
            return web.json_response(made.nobody())
        return web.json_response({**self.session, "login_required": self.token is not None})

    async def _login(self, request: web.Request) -> web.StreamResponse:
        given = await request.json()
        if given["token"] != self.token:
            return web.json_response({"error": "this token is not known"}, status=401)
        self._signed_in = True
        return web.json_response({"who": self.session["who"], "role": self.session["role"]})

    async def _logout(self, request: web.Request) -> web.StreamResponse:
        self._signed_in = False
        return web.json_response({})

    async def _live(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
        response.headers.update(SECURITY_HEADERS)
        await response.prepare(request)
        stream: asyncio.Queue[tuple[str, Any] | None] = asyncio.Queue()
        self._streams.add(stream)
        try:
            while True:
                await _say(response, "state", self._state_now())
                try:
                    told = await asyncio.wait_for(stream.get(), STATE_EVERY_S)
                except TimeoutError:
                    continue
                if told is None:
                    break
                await _say(response, *told)
        except ConnectionError:
            pass
        finally:
            self._streams.discard(stream)
        return response

    def _state_now(self) -> dict[str, Any]:
        return self.state if self.freezing_clock else {**self.state, "at_ms": made.now_ms()}

    def _answering(self, name: str) -> Any:
        async def handler(request: web.Request) -> web.StreamResponse:
            return web.json_response(getattr(self, name))

        return handler

    async def _decisions(self, request: web.Request) -> web.StreamResponse:
        wanted = {name: value for name, value in request.query.items() if name != "limit"}

        def fits(decision: dict[str, Any]) -> bool:
            return all(
                value in decision["flags"] if name == "flag" else decision[name] == value
                for name, value in wanted.items()
            )

        return web.json_response({"decisions": [decision for decision in self.decisions if fits(decision)]})

    async def _flags(self, request: web.Request) -> web.StreamResponse:
        return web.json_response({"flags": self.flags})

    async def _post(self, request: web.Request) -> web.StreamResponse:
        found = self.posts.get(request.match_info["post_id"])
        if found is None:
            return web.json_response({"error": "no such post within the newest messages"}, status=404)
        return web.json_response(found)

    async def _media(self, request: web.Request) -> web.StreamResponse:
        body, kind = self.media[request.match_info["token"]]
        wanted = request.http_range
        start, stop, _ = wanted.indices(len(body))
        headers = {"Accept-Ranges": "bytes"}
        if wanted.start is None:
            return web.Response(body=body, content_type=kind, headers=headers)
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{len(body)}"
        return web.Response(status=206, body=body[start:stop], content_type=kind, headers=headers)

    async def _feedback(self, request: web.Request) -> web.StreamResponse:
        given = self.received[-1][1]
        said = {
            "schema": "feedback/1",
            **{name: value for name, value in given.items() if value is not None},
            "feedback_id": f"f-{len(self.received)}",
            "reviewer": self.session["who"],
            "role": self.session["role"],
            "source": "review",
            "created_at": "2026-11-22T10:05:00Z",
        }
        self.posts[given["post_id"]]["feedback"].append(said)
        return web.json_response({"feedback_id": said["feedback_id"]}, status=201)

    async def _letters(self, request: web.Request) -> web.StreamResponse:
        wanted = {name: value for name, value in request.query.items() if name != "limit"}
        found = [letter for letter in self.letters if all(letter[name] == value for name, value in wanted.items())]
        shown = [
            {name: value for name, value in letter.items() if name not in ("headers", "value")} for letter in found
        ]
        return web.json_response({"dead_letters": shown, "total": len(found)})

    async def _letter(self, request: web.Request) -> web.StreamResponse:
        place = (int(request.match_info["partition"]), int(request.match_info["offset"]))
        return web.json_response(next(one for one in self.letters if (one["partition"], one["offset"]) == place))

    async def _replay(self, request: web.Request) -> web.StreamResponse:
        places = [tuple(place) for place in self.received[-1][1]["places"]]
        failed = [
            {"place": place, "why": self.letters_failing[place]} for place in places if place in self.letters_failing
        ]
        return web.json_response({"replayed": len(places) - len(failed), "failed": failed})


async def _say(response: web.StreamResponse, event: str, data: dict[str, Any]) -> None:
    await response.write(f"event: {event}\ndata: {json.dumps(data)}\n\n".encode())


def _file(path: Path) -> web.Response:
    return web.Response(body=path.read_bytes(), content_type=TYPES[path.suffix], charset="utf-8")
