"""Dead letters: listed, shown and put back where they came from."""

from __future__ import annotations

from typing import Any

import msgspec
from aiohttp import web

from console.access import Role
from console.events import LetterEvent
from console.guards import MAX_BODY_BYTES, Refused, answer
from console.pages import limit_of, needs
from console.site import SITE, Site
from schemas.wire import decode_json
from streams.dlq import Selection
from streams.reader import Read

SHOWN_BYTES = 64 * 1024
"""Of a value: a person reads no more, and the rest is a command away (`modstream dlq show --json`)."""

MAX_HEADERS = 200
MAX_HEADER_CHARS = 4_000

MAX_PLACES = 1_000
"""Dead letters put back by one request; `modstream dlq replay` takes all."""

BEFORE = "it was replayed before: `modstream dlq replay --again` replays it once more"
GONE = "it is no longer there"
HOMELESS = "its header modstream-topic names no topic of the chain"


class _Places(msgspec.Struct):
    places: list[tuple[int, int]]


_decoder = msgspec.json.Decoder(_Places)


@needs(Role.OPERATOR)
async def listed(request: web.Request) -> web.StreamResponse:
    """The newest that match, and how many match of those that are held."""
    site, query = request.app[SITE], request.query
    rows, total = site.feeds.letters(query.get("stage") or None, query.get("cause") or None, limit_of(request))
    known = await site.in_thread(lambda: site.dead_letters().replayed()) if rows else {}
    replayed = {(row.partition, row.offset): row.offset in known[_topic(site), row.partition] for row in rows}
    return answer({"dead_letters": [_row(row, replayed[row.partition, row.offset]) for row in rows], "total": total})


@needs(Role.OPERATOR)
async def one(request: web.Request) -> web.StreamResponse:
    """One in full: its headers and its value as text."""
    site = request.app[SITE]
    partition, offset = int(request.match_info["partition"]), int(request.match_info["offset"])
    letter = await site.in_thread(site.lookup.at, _topic(site), partition, offset)
    if letter is None:
        raise Refused(404, "there is no such dead letter, or no longer")
    known = await site.in_thread(lambda: site.dead_letters().replayed())
    return answer({**_row(LetterEvent.of(letter), offset in known[letter.place]), **_full(letter)})


@needs(Role.OPERATOR)
async def replay(request: web.Request) -> web.StreamResponse:
    """Put some back, each once."""
    site = request.app[SITE]
    raw = await request.read()
    given = decode_json(raw, _decoder, schema="places", max_bytes=MAX_BODY_BYTES).places
    if not 0 < len(given) <= MAX_PLACES:
        raise Refused(400, f"places: expected 1 to {MAX_PLACES:,} pairs of partition and offset")
    if site.replaying.locked():
        raise Refused(409, "another replay is under way: try again when it has ended")
    async with site.replaying:
        replayed, failed = await site.in_thread(_replayed, site, given)
    return answer({"replayed": replayed, "failed": [{"place": place, "why": why} for place, why in failed.items()]})


def _replayed(site: Site, places: list[tuple[int, int]]) -> tuple[int, dict[tuple[int, int], str]]:
    """How many went back, and why the others did not. Blocks."""
    topic = _topic(site)
    letters = site.dead_letters()
    selection = Selection(places=frozenset((topic, *place) for place in places))
    known = letters.replayed()
    there = {(letter.partition, letter.offset) for letter in letters.read(selection) if letter.topic == topic}
    failed = {place: GONE for place in places if place not in there}
    failed |= {place: BEFORE for place in there if place[1] in known[topic, place[0]]}
    due = frozenset((topic, *place) for place in there - failed.keys())
    if not due:
        return 0, failed
    done = letters.replay(Selection(places=due))
    homeless = set(done.homeless)
    failed |= {place[1:]: HOMELESS for place in due if f"{place[0]}-{place[1]}:{place[2]}" in homeless}
    return done.by_topic.total(), failed


def _topic(site: Site) -> str:
    return site.topics.dead_letters


def _row(letter: LetterEvent, replayed: bool) -> dict[str, Any]:
    return {**msgspec.to_builtins(letter), "replayed": replayed}


def _full(letter: Read) -> dict[str, Any]:
    value = letter.value
    headers = {
        name[:MAX_HEADER_CHARS]: None if held is None else held.decode("utf-8", "replace")[:MAX_HEADER_CHARS]
        for name, held in letter.headers[:MAX_HEADERS]
    }
    return {
        "headers": headers,
        "value": None if value is None else value[:SHOWN_BYTES].decode("utf-8", "replace"),
        "bytes": None if value is None else len(value),
        "truncated": value is not None and len(value) > SHOWN_BYTES,
    }
