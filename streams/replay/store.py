"""What a replay has found out so far, in one SQLite file: whoever is killed goes on after the last piece that is whole.

Everything that belongs together is written in one transaction, with the offsets up to which it was read.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import msgspec

from schemas.replay import Pair, Said
from schemas.source import Source
from streams.offsets import Place
from streams.replay.published import Published, packed, unpacked

FILE = "replay.sqlite"

_TABLES = """
CREATE TABLE IF NOT EXISTS plan (one INTEGER PRIMARY KEY CHECK (one = 1), plan BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS progress (
    phase TEXT, topic TEXT, partition INTEGER, next INTEGER NOT NULL, PRIMARY KEY (phase, topic, partition));
CREATE TABLE IF NOT EXISTS counts (name TEXT PRIMARY KEY, count INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS examples (name TEXT PRIMARY KEY, example TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS published (
    post_id TEXT PRIMARY KEY, topic TEXT, partition INTEGER, place INTEGER, timestamp_ms INTEGER, decision BLOB);
CREATE INDEX IF NOT EXISTS places ON published (topic, partition, place);
CREATE TABLE IF NOT EXISTS said (
    about TEXT, id TEXT, created_ms INTEGER, feedback_id TEXT, said BLOB NOT NULL, PRIMARY KEY (about, id));
CREATE TABLE IF NOT EXISTS pairs (
    topic TEXT, partition INTEGER, place INTEGER, pair BLOB NOT NULL,
    PRIMARY KEY (topic, partition, place)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS costs (at INTEGER PRIMARY KEY, cost BLOB NOT NULL);
"""

_pairs = msgspec.msgpack.Decoder(Pair)
_said = msgspec.msgpack.Decoder(Said)

About = Literal["decision", "post"]
"""What an id of feedback names."""


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """What judging a piece again took."""

    posts: int
    seconds: float
    stages_ms: dict[str, float] = {}
    """Stage -> the sum over the posts of its time for the batch that each was in."""


class ReplayStore:
    """One process at a time: a second one is told so (`sqlite3.OperationalError`, database is locked)."""

    def __init__(self, folder: Path) -> None:
        self._connection = sqlite3.connect(folder / FILE, isolation_level=None, timeout=1.0)
        # Held until the end of the process: two replays into one folder would count everything twice.
        self._connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.executescript(_TABLES)

    def close(self) -> None:
        self._connection.close()

    @contextmanager
    def whole(self) -> Generator[None]:
        """All that is written inside is there afterwards, or none of it."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    @property
    def plan(self) -> bytes | None:
        row = self._connection.execute("SELECT plan FROM plan").fetchone()
        return None if row is None else row[0]

    def settle(self, plan: bytes) -> None:
        self._connection.execute("INSERT OR REPLACE INTO plan VALUES (1, ?)", (plan,))

    def reached(self, phase: str) -> dict[Place, int]:
        rows = self._connection.execute("SELECT topic, partition, next FROM progress WHERE phase = ?", (phase,))
        return {(topic, partition): offset for topic, partition, offset in rows}

    def reach(self, phase: str, offsets: Mapping[Place, int]) -> None:
        rows = [(phase, *place, offset) for place, offset in offsets.items()]
        self._connection.executemany("INSERT OR REPLACE INTO progress VALUES (?, ?, ?, ?)", rows)

    def count(self, counted: Mapping[str, int]) -> None:
        self._connection.executemany(
            "INSERT INTO counts VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET count = count + excluded.count",
            counted.items(),
        )

    @property
    def counts(self) -> dict[str, int]:
        return dict(self._connection.execute("SELECT name, count FROM counts ORDER BY name"))

    def example(self, name: str, example: str) -> None:
        """The first of what a count counts."""
        self._connection.execute("INSERT OR IGNORE INTO examples VALUES (?, ?)", (name, example))

    @property
    def examples(self) -> dict[str, str]:
        return dict(self._connection.execute("SELECT name, example FROM examples ORDER BY name"))

    def publish(self, decision: Published) -> None:
        """Of two decisions on one post the later source holds; of the same source, the later message."""
        source = decision.source
        self._connection.execute(
            "INSERT INTO published VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (post_id) DO UPDATE SET topic = "
            "excluded.topic, partition = excluded.partition, place = excluded.place, timestamp_ms = "
            "excluded.timestamp_ms, decision = excluded.decision WHERE decision IS NULL OR "
            "(excluded.timestamp_ms, excluded.place) >= (published.timestamp_ms, published.place)",
            (
                decision.post_id,
                source.topic,
                source.partition,
                source.offset,
                source.timestamp_ms,
                packed(decision),
            ),
        )

    def delete(self, post_id: str) -> None:
        self._connection.execute(
            "INSERT OR REPLACE INTO published VALUES (?, NULL, NULL, NULL, NULL, NULL)", (post_id,)
        )

    def published(self, post_id: str) -> tuple[bool, Published | None]:
        """Whether anything was published on a post, and the decision that holds; None where it was deleted."""
        row = self._connection.execute("SELECT decision FROM published WHERE post_id = ?", (post_id,)).fetchone()
        return row is not None, unpacked(row[0]) if row is not None and row[0] is not None else None

    def all_published(self, after: tuple[str, int, int] | None = None) -> Iterator[Published]:
        """In the order of their sources."""
        rows = self._connection.execute(
            "SELECT decision FROM published WHERE decision IS NOT NULL AND (topic, partition, place) > (?, ?, ?) "
            "ORDER BY topic, partition, place",
            after or ("", -1, -1),
        )
        for (decision,) in rows:
            yield unpacked(decision)

    def say(self, about: About, name: str, created_ms: int, feedback_id: str, said: Said) -> None:
        """The latest stays; of the same time, the one with the greater id."""
        self._connection.execute(
            "INSERT INTO said VALUES (?, ?, ?, ?, ?) ON CONFLICT (about, id) DO UPDATE SET created_ms = "
            "excluded.created_ms, feedback_id = excluded.feedback_id, said = excluded.said WHERE "
            "(excluded.created_ms, excluded.feedback_id) >= (said.created_ms, said.feedback_id)",
            (about, name, created_ms, feedback_id, msgspec.msgpack.encode(said)),
        )

    def said(self, decision: Published) -> Said | None:
        """The latest on the decision; where there is none, on the post, said after this version of it was posted."""
        for about, name, since_ms in (
            ("decision", decision.decision_id, 0),
            ("post", decision.post_id, decision.source.timestamp_ms),
        ):
            row = self._connection.execute(
                "SELECT said FROM said WHERE about = ? AND id = ? AND created_ms >= ?", (about, name, since_ms)
            ).fetchone()
            if row is not None:
                return _said.decode(row[0])
        return None

    def has_pair(self, source: Source) -> bool:
        row = self._connection.execute(
            "SELECT 1 FROM pairs WHERE topic = ? AND partition = ? AND place = ?",
            (source.topic, source.partition, source.offset),
        ).fetchone()
        return row is not None

    def put(self, pair: Pair) -> None:
        source = pair.source
        self._connection.execute(
            "INSERT OR REPLACE INTO pairs VALUES (?, ?, ?, ?)",
            (source.topic, source.partition, source.offset, msgspec.msgpack.encode(pair)),
        )

    @property
    def last_place(self) -> tuple[str, int, int] | None:
        return self._connection.execute(
            "SELECT topic, partition, place FROM pairs ORDER BY topic DESC, partition DESC, place DESC LIMIT 1"
        ).fetchone()

    def pairs(self) -> Iterator[Pair]:
        """In the order of their sources."""
        for (pair,) in self._connection.execute("SELECT pair FROM pairs ORDER BY topic, partition, place"):
            yield _pairs.decode(pair)

    def spend(self, cost: Cost) -> None:
        self._connection.execute("INSERT INTO costs (cost) VALUES (?)", (msgspec.msgpack.encode(cost),))

    def costs(self) -> Iterator[Cost]:
        for (cost,) in self._connection.execute("SELECT cost FROM costs ORDER BY at"):
            yield msgspec.msgpack.decode(cost, type=Cost)
