"""Who may come in."""

from __future__ import annotations

from typing import Any

import pytest

from console.access import (
    ALL_GUESSES,
    GUESSES,
    GUESSES_S,
    LOCAL,
    Access,
    Person,
    Role,
    TooManyGuesses,
    WrongToken,
    is_loopback,
)
from streams.settings import ConsoleSettings, Secret, SettingsError
from tests.console.conftest import OPERATOR, TOKENS, VIEWER


class Clock:
    now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def access(clock: Clock | None = None, **settings: Any) -> Access:
    given: dict[str, Any] = {"tokens": Secret(TOKENS), **settings}
    return Access(ConsoleSettings(**given), clock or Clock())


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.1.2.3", "console.example"])  # noqa: S104
def test_listening_elsewhere_than_on_loopback_without_tokens_is_refused_in_one_sentence(host: str) -> None:
    with pytest.raises(SettingsError) as refused:
        access(host=host, tokens=None)
    (sentence,) = refused.value.problems
    assert f"console.host = {host}" in sentence
    assert "console.tokens" in sentence
    assert access(host=host).login_required


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "[::1]", "localhost", "LOCALHOST"])
def test_on_loopback_it_may_be_done_without(host: str) -> None:
    assert is_loopback(host)
    assert not access(host=host, tokens=None).login_required


@pytest.mark.parametrize(
    "tokens",
    [
        "short=ann:viewer",
        "0123456789abcdef",
        "0123456789abcdef=ann",
        "0123456789abcdef=ann:admin",
        "0123456789abcdef=:viewer",
        "0123456789abcdef=ann:viewer,0123456789abcdef=ben:operator",
        ",",
    ],
)
def test_tokens_that_make_no_sense_are_refused_and_never_quoted(tokens: str) -> None:
    with pytest.raises(SettingsError) as refused:
        access(tokens=Secret(tokens))
    assert "console.tokens" in str(refused.value)
    assert "0123456789abcdef" not in str(refused.value)
    assert "short" not in str(refused.value)


def test_a_token_is_a_person_with_a_role() -> None:
    assert access().by_token(VIEWER, "a") == Person("vera", Role.VIEWER)
    assert access().by_token(OPERATOR, "a") == Person("otto", Role.OPERATOR)
    for wrong in ("", VIEWER[:-1], VIEWER + "0", "\ud800", "vera"):
        with pytest.raises(WrongToken):
            access().by_token(wrong, "a")


def test_each_role_may_what_those_before_it_may() -> None:
    assert [[role.may(needed) for needed in Role] for role in Role] == [
        [True, False, False],
        [True, True, False],
        [True, True, True],
    ]
    assert LOCAL.role is Role.OPERATOR


def test_a_session_ends_after_its_time_or_when_it_is_ended() -> None:
    clock = Clock()
    found = access(clock, session_hours=2)
    person = found.by_token(VIEWER, "a")
    session, other = found.begin(person), found.begin(person)
    assert session != other
    assert found.by_session(session) == person
    assert found.by_session(session[:-1]) is None
    found.end(other)
    assert found.by_session(other) is None
    clock.now_s += 2 * 3600
    assert found.by_session(session) is None


def test_guessing_ends_after_a_few_wrong_tokens_and_goes_on_after_a_while() -> None:
    clock = Clock()
    found = access(clock)
    for _ in range(GUESSES):
        with pytest.raises(WrongToken):
            found.by_token("wrong", "a")
    for token in ("wrong", VIEWER):  # the right one neither: the answer would tell
        with pytest.raises(TooManyGuesses):
            found.by_token(token, "a")
    assert found.by_token(VIEWER, "b").name == "vera"
    clock.now_s += GUESSES_S
    assert found.by_token(VIEWER, "a").name == "vera"


def test_guessing_from_many_addresses_ends_too() -> None:
    found = access()
    for number in range(ALL_GUESSES):
        with pytest.raises(WrongToken):
            found.by_token("wrong", str(number))
    with pytest.raises(TooManyGuesses):
        found.by_token("wrong", "another")
