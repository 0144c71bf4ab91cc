"""Is this worker alive, and may it be relied on? Named conditions, each with its reason."""

from __future__ import annotations

import time
from collections.abc import Callable
from enum import StrEnum
from threading import Lock

import msgspec

HEARTBEAT_LIMIT_S = 30.0
"""The loop turns many times a second, and a blocking call to the broker returns after 5 s; six of those in a row
without a beat between them is a loop that hangs."""

START_LIMIT_S = 600.0
"""Until the loop first turns. Loading models, and building engines for a GPU, may take minutes."""


class Condition(msgspec.Struct, frozen=True):
    """One thing that must hold. `reason` is a sentence for a person, also when it does."""

    name: str
    ok: bool
    reason: str


class Check(msgspec.Struct, frozen=True):
    """The answer: ok when every condition is."""

    ok: bool
    conditions: tuple[Condition, ...]

    @classmethod
    def of(cls, conditions: tuple[Condition, ...]) -> Check:
        return cls(all(condition.ok for condition in conditions), conditions)

    def to_json(self) -> bytes:
        return msgspec.json.encode(self)


class Ready(StrEnum):
    """The conditions that the worker sets. The first three do not hold until it says so."""

    JOINED = "joined"
    """A member of the consumer group, with or without partitions."""
    MODELS = "models"
    """Every model of the hosted stages is loaded and warm."""
    BROKER = "broker"
    """A broker answers."""
    BREAKER = "breaker"
    """Not paused for too many failures of ours."""
    VERSIONS = "versions"
    """No partition waits for a newer version of modstream."""
    SERVING = "serving"
    """Not shutting down."""


_AT_START = {
    Ready.JOINED: Condition(Ready.JOINED, False, "has not joined the consumer group yet"),
    Ready.MODELS: Condition(Ready.MODELS, False, "the models are not loaded yet"),
    Ready.BROKER: Condition(Ready.BROKER, False, "no broker has answered yet"),
    Ready.BREAKER: Condition(Ready.BREAKER, True, "closed"),
    Ready.VERSIONS: Condition(Ready.VERSIONS, True, "every partition can be read"),
    Ready.SERVING: Condition(Ready.SERVING, True, "not shutting down"),
}


class Health:
    """What the worker says of itself. Safe to call from any thread; `beat` and `oldest_ticket` cost an assignment.

    `ticket_age_limit_s` is `worker.ticket_age_limit_s` of the settings; `clock` is monotonic, in seconds, and the one
    that tickets are dated by.
    """

    def __init__(
        self,
        ticket_age_limit_s: float,
        clock: Callable[[], float] = time.monotonic,
        heartbeat_limit_s: float = HEARTBEAT_LIMIT_S,
        start_limit_s: float = START_LIMIT_S,
    ) -> None:
        self._clock = clock
        self._ticket_age_limit_s = ticket_age_limit_s
        self._heartbeat_limit_s = heartbeat_limit_s
        self._start_limit_s = start_limit_s
        self._started_s = clock()
        self._beat_s: float | None = None
        self._oldest: tuple[float | None, float] = (None, ticket_age_limit_s)
        self._ready = dict(_AT_START)
        self._lock = Lock()

    def beat(self) -> None:
        """The loop has turned, or is between two blocking calls."""
        self._beat_s = self._clock()

    def oldest_ticket(self, since: float | None, limit_s: float | None = None) -> None:
        """When the oldest message under way was admitted, by `clock`; None when there is none. `limit_s`: the limit of
        its age, where it is another than usual."""
        self._oldest = since, self._ticket_age_limit_s if limit_s is None else limit_s

    def set(self, condition: Ready, ok: bool, reason: str) -> None:
        with self._lock:
            self._ready[condition] = Condition(condition, ok, reason)

    def live(self) -> Check:
        """Whether the process is worth keeping: the loop turns, and no message has been under way for too long."""
        return Check.of(self._live_conditions())

    def ready(self) -> Check:
        """Whether the worker does its work: it is live, and everything in `Ready` holds."""
        with self._lock:
            ready = tuple(self._ready.values())
        return Check.of(self._live_conditions() + ready)

    def _live_conditions(self) -> tuple[Condition, ...]:
        now = self._clock()
        return self._loop(now), self._tickets(now)

    def _loop(self, now: float) -> Condition:
        beat = self._beat_s
        if beat is None:
            age, limit, what = now - self._started_s, self._start_limit_s, "the loop has not begun to turn, started"
        else:
            age, limit, what = now - beat, self._heartbeat_limit_s, "the loop last turned"
        return Condition("loop", age <= limit, f"{what} {age:.1f} s ago (limit {limit:g} s)")

    def _tickets(self, now: float) -> Condition:
        oldest, limit = self._oldest
        if oldest is None:
            return Condition("tickets", True, "nothing is under way")
        age = now - oldest
        return Condition(
            "tickets", age <= limit, f"the oldest message has been under way for {age:.1f} s (limit {limit:g} s)"
        )
