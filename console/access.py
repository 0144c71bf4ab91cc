"""Who may come in, and as what: tokens, roles, sessions, and how often one may guess."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_address

from streams.settings import ConsoleSettings, Secret, SettingsError

MAX_SESSIONS = 10_000
"""Signed-in browsers; the oldest gives way."""

MIN_TOKEN_CHARS = 16
GUESSES = 10
"""Wrong tokens from one address within `GUESSES_S`; honest people mistype once or twice."""
ALL_GUESSES = 200
"""The same from all addresses together: addresses are cheap."""
GUESSES_S = 60.0
MAX_ADDRESSES = 10_000

_ENTRY = re.compile(r"([A-Za-z0-9._-]+)=([A-Za-z0-9._@ -]{1,100}):([a-z]+)")


class Role(StrEnum):
    """What a person may do; each role may do what those before it may."""

    VIEWER = "viewer"
    """Sees figures and decisions, no content."""
    REVIEWER = "reviewer"
    """Sees posts, gives feedback."""
    OPERATOR = "operator"
    """Sees and replays dead letters."""

    def may(self, needed: Role) -> bool:
        order = list(Role)
        return order.index(self) >= order.index(needed)


@dataclass(frozen=True, slots=True)
class Person:
    """Who asks."""

    name: str
    role: Role


LOCAL = Person("local", Role.OPERATOR)
"""Everybody who reaches the loopback address, where no tokens are set."""


class WrongToken(Exception):
    """Nobody has this token."""


class TooManyGuesses(Exception):
    """Too many wrong tokens came lately."""


class Access:
    """Knows people by their token or by the session that they began with it."""

    def __init__(self, settings: ConsoleSettings, clock: Callable[[], float] = time.monotonic) -> None:
        """Raises `SettingsError` where the tokens make no sense, or anybody on the network could come in without."""
        self._people = _people(settings.tokens)
        if not self._people and not is_loopback(settings.host):
            raise SettingsError(
                [
                    f"console.host = {settings.host}: anybody who reaches that address would be an operator: expected "
                    "console.tokens to be set as well, or a loopback address such as 127.0.0.1"
                ]
            )
        self._session_s = settings.session_hours * 3600
        self._clock = clock
        self._sessions: OrderedDict[bytes, tuple[Person, float]] = OrderedDict()
        self._guesses: OrderedDict[str, deque[float]] = OrderedDict()
        self._all_guesses: deque[float] = deque()

    @property
    def login_required(self) -> bool:
        return bool(self._people)

    def by_token(self, token: str, address: str) -> Person:
        """Raises `WrongToken`, and `TooManyGuesses` whatever the token is."""
        now_s = self._clock()
        mine = self._guesses.get(address, deque[float]())
        for guesses in (mine, self._all_guesses):
            while guesses and guesses[0] <= now_s - GUESSES_S:
                guesses.popleft()
        if len(mine) >= GUESSES or len(self._all_guesses) >= ALL_GUESSES:
            raise TooManyGuesses
        hashed = _hash(token)
        # All of them are compared, so that the time tells nothing.
        found = [person for known, person in self._people.items() if hmac.compare_digest(known, hashed)]
        if not found:
            mine.append(now_s)
            self._all_guesses.append(now_s)
            self._guesses[address] = mine
            self._guesses.move_to_end(address)
            if len(self._guesses) > MAX_ADDRESSES:
                self._guesses.popitem(last=False)
            raise WrongToken
        return found[0]

    def begin(self, person: Person) -> str:
        """A session's secret, for the cookie."""
        session = secrets.token_urlsafe(32)
        self._sessions[_hash(session)] = (person, self._clock() + self._session_s)
        if len(self._sessions) > MAX_SESSIONS:
            self._sessions.popitem(last=False)
        return session

    def by_session(self, session: str) -> Person | None:
        """None where there is no such session, or no longer."""
        key = _hash(session)
        person, until_s = self._sessions.get(key, (None, 0.0))
        if person is not None and self._clock() >= until_s:
            del self._sessions[key]
            return None
        return person

    def end(self, session: str) -> None:
        self._sessions.pop(_hash(session), None)


def is_loopback(host: str) -> bool:
    """Whether an address to listen on is reached from this machine alone; a name other than `localhost` may be any."""
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _people(tokens: Secret | None) -> dict[bytes, Person]:
    people: dict[bytes, Person] = {}
    names = [role.value for role in Role]
    for place, entry in enumerate((tokens.reveal() if tokens else "").split(","), start=1):
        if not entry.strip():
            continue
        match = _ENTRY.fullmatch(entry.strip())
        # What is wrong is said without a word of the token.
        if match is None or match[3] not in names or len(match[1]) < MIN_TOKEN_CHARS:
            raise SettingsError(
                [
                    f"console.tokens: entry {place}: expected TOKEN=NAME:ROLE, where TOKEN has at least "
                    f"{MIN_TOKEN_CHARS} letters, digits, '-', '_' or '.', and ROLE is one of {', '.join(names)}"
                ]
            )
        if _hash(match[1]) in people:
            raise SettingsError([f"console.tokens: entry {place}: its token is another entry's too"])
        people[_hash(match[1])] = Person(match[2].strip(), Role(match[3]))
    if tokens is not None and not people:
        raise SettingsError(["console.tokens: holds no entry: expected TOKEN=NAME:ROLE, or no such setting"])
    return people


def _hash(secret: str) -> bytes:
    """Tokens and sessions are random: a plain hash is enough to keep them out of a core dump."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
