"""What holds for every request, whatever it asks for."""

from __future__ import annotations

import logging

import pytest

from console.app import routes
from console.guards import MAX_BODY_BYTES, SECURITY_HEADERS
from streams.settings import Secret
from tests.console.conftest import OPERATOR, REVIEWER, SCRIPT, TOKENS, VIEWER, Client, Console, Make

FEEDBACK = {"decision_id": "d-p-1", "post_id": "p-1", "verdict": "block"}

MATRIX: dict[tuple[str, str], tuple[int, int, int, int]] = {
    # nobody, viewer, reviewer, operator
    ("GET", "/"): (200, 200, 200, 200),
    ("GET", "/assets/{path:.+}"): (404, 404, 404, 404),
    ("GET", "/live"): (200, 200, 200, 200),
    ("GET", "/ready"): (200, 200, 200, 200),
    ("GET", "/api/session"): (200, 200, 200, 200),
    ("POST", "/api/login"): (400, 400, 400, 400),
    ("POST", "/api/logout"): (200, 200, 200, 200),
    ("GET", "/api/state"): (401, 200, 200, 200),
    ("GET", "/api/history"): (401, 200, 200, 200),
    ("GET", "/api/decisions"): (401, 200, 200, 200),
    ("GET", "/api/flags"): (401, 200, 200, 200),
    ("GET", "/api/posts/{post_id}"): (401, 200, 200, 200),
    ("GET", "/api/media/{token}"): (401, 403, 404, 404),
    ("POST", "/api/feedback"): (401, 403, 201, 201),
    ("GET", "/api/dead-letters"): (401, 403, 403, 200),
    ("GET", r"/api/dead-letters/{partition:\d{1,9}}/{offset:\d{1,18}}"): (401, 403, 403, 404),
    ("POST", "/api/dead-letters/replay"): (401, 403, 403, 400),
}
"""Every address but the stream, which does not end: tests/console/test_live.py."""

PATHS = {
    "/assets/{path:.+}": "/assets/no/such.js",
    "/api/posts/{post_id}": "/api/posts/p-1",
    "/api/media/{token}": "/api/media/guessed",
    r"/api/dead-letters/{partition:\d{1,9}}/{offset:\d{1,18}}": "/api/dead-letters/0/7",
}


def test_the_matrix_has_every_address() -> None:
    assert set(MATRIX) | {("GET", "/api/live")} == {(route.method, route.path) for route in routes()}


@pytest.mark.parametrize(("method", "path"), MATRIX, ids=lambda part: part)
def test_each_role_reaches_what_it_may_and_no_more(method: str, path: str, guarded: Console) -> None:
    body = FEEDBACK if path == "/api/feedback" else {}
    statuses = tuple(
        guarded.ask(method, PATHS.get(path, path), token=token, **({"json": body} if method == "POST" else {})).status
        for token in (None, VIEWER, REVIEWER, OPERATOR)
    )
    assert statuses == MATRIX[method, path]


@pytest.mark.parametrize("path", ["/", "/api/state", "/api/nothing", "/api/posts/never", "/assets/../access.py"])
def test_every_answer_carries_the_headers_that_keep_a_browser_safe(path: str, console: Console) -> None:
    answer = console.ask("GET", path)
    assert {name: answer.headers.get(name) for name in SECURITY_HEADERS} == SECURITY_HEADERS
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy


def test_the_page_has_no_script_of_its_own_that_the_policy_would_have_to_allow(console: Console) -> None:
    page = console.ask("GET", "/").body.decode()
    assert "<script>" not in page
    assert " onclick=" not in page
    assert "http" not in page.replace('http-equiv="', "")


def test_hostile_posts_are_data_and_never_markup(console: Console) -> None:
    answer = console.ask("GET", "/api/posts/p-1")
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.json["post"]["text"] == SCRIPT


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8090", "127.0.0.1.evil.example", "[::2]:8090", "10.0.0.1"]
)
def test_a_name_of_another_site_that_leads_here_is_not_answered(host: str, console: Console) -> None:
    assert console.ask("GET", "/api/state", headers={"Host": host}).status == 403
    assert console.ask("GET", "/", headers={"Host": host}).status == 403


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1:9", "[::1]:9", "[::1]"])
def test_names_of_this_machine_are(host: str, console: Console) -> None:
    assert console.ask("GET", "/api/state", headers={"Host": host}).status == 200


def test_behind_a_name_of_its_own_a_console_with_tokens_answers(make: Make) -> None:
    elsewhere = make(host="0.0.0.0", tokens=Secret(TOKENS))  # noqa: S104
    assert elsewhere.ask("GET", "/api/session", headers={"Host": "console.example"}).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Modstream": "0"},
        {"X-Modstream": ""},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://["},
    ],
)
def test_a_page_of_another_site_changes_nothing(headers: dict[str, str], console: Console) -> None:
    answer = console.ask("POST", "/api/feedback", json=FEEDBACK, headers=headers)
    assert answer.status == 403
    assert console.kafka.sent == []


def test_our_own_page_does(console: Console) -> None:
    origin = {"Host": "localhost:8090", "Origin": "http://localhost:8090"}
    assert console.ask("POST", "/api/feedback", json=FEEDBACK, headers=origin).status == 201


@pytest.mark.parametrize("path", ["/api/feedback", "/api/login", "/api/dead-letters/replay"])
def test_an_oversized_request_is_refused(path: str, console: Console) -> None:
    answer = console.ask("POST", path, data=b"x" * (MAX_BODY_BYTES + 1))
    assert answer.status == 413
    assert "256" in answer.json["error"] or "262,144" in answer.json["error"]


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'"\\ud800"', b"\xff", b"[" * 5000, b'{"verdict": {}}'])
@pytest.mark.parametrize("path", ["/api/feedback", "/api/dead-letters/replay"])
def test_a_request_that_makes_no_sense_is_refused_in_one_sentence(path: str, body: bytes, console: Console) -> None:
    answer = console.ask("POST", path, data=body)
    assert answer.status == 400
    assert set(answer.json) == {"error"}
    assert "\n" not in answer.json["error"]


@pytest.mark.parametrize(("path", "method"), [("/api/feedback", "GET"), ("/", "DELETE"), ("/api/state", "PUT")])
def test_other_methods_and_addresses_are_refused_as_json_too(path: str, method: str, console: Console) -> None:
    answer = console.ask(method, path, headers={"X-Modstream": "1"})
    assert answer.status == 405
    assert set(answer.json) == {"error"}


def test_a_browser_signs_in_once_and_its_cookie_is_nobody_elses(guarded: Console) -> None:
    async def scenario(client: Client) -> int:
        csrf = {"X-Modstream": "1"}
        assert (await client.get("/api/state")).status == 401
        session = await (await client.get("/api/session")).json()
        assert session["login_required"] is True
        assert session["who"] is None
        assert session["version"] is None
        answer = await client.post("/api/login", json={"token": REVIEWER}, headers=csrf)
        cookie = answer.headers["Set-Cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Strict" in cookie
        assert REVIEWER not in cookie
        session = await (await client.get("/api/session")).json()
        assert (session["who"], session["role"]) == ("rita", "reviewer")
        assert session["may"] == {"content": True, "feedback": True, "dead_letters": False}
        assert (await client.post("/api/logout", headers=csrf)).status == 200
        return (await client.get("/api/state")).status

    assert guarded.with_client(scenario) == 401


def test_signing_in_anew_ends_the_browsers_last_session(guarded: Console) -> None:
    async def scenario(client: Client) -> int:
        csrf = {"X-Modstream": "1"}
        first = await client.post("/api/login", json={"token": OPERATOR}, headers=csrf)
        session = first.cookies["modstream-session"].value
        assert (await client.post("/api/login", json={"token": VIEWER}, headers=csrf)).status == 200
        client.session.cookie_jar.clear()
        return (await client.get("/api/state", headers={"Cookie": f"modstream-session={session}"})).status

    assert guarded.with_client(scenario) == 401


@pytest.mark.parametrize("name", ["a%00.js", "x" * 300 + ".js", "..%2f..%2fpyproject.toml", "%2fetc%2fpasswd", "js"])
def test_names_that_are_none_of_the_pages_files_are_not_found(name: str, console: Console) -> None:
    assert console.ask("GET", f"/assets/{name}").status == 404


def test_a_stream_is_not_begun_for_its_headers_alone(guarded: Console) -> None:
    assert guarded.ask("HEAD", "/api/live", token=VIEWER).status == 405
    assert guarded.ask("HEAD", "/api/state").status == 401


def test_the_cookie_is_kept_to_tls_where_the_page_is_behind_it(make: Make) -> None:
    behind = make(tokens=Secret(TOKENS), https=True)
    cookie = behind.ask("POST", "/api/login", json={"token": VIEWER}).headers["Set-Cookie"]
    assert "Secure" in cookie


def test_guessing_is_slowed_down_for_logins_and_for_tokens_alike(guarded: Console) -> None:
    statuses = [guarded.ask("POST", "/api/login", json={"token": "wrong"}).status for _ in range(6)]
    statuses += [guarded.ask("GET", "/api/state", token="wrong").status for _ in range(6)]
    assert statuses == [401] * 10 + [429] * 2
    assert guarded.ask("GET", "/api/session").status == 200


def test_a_fault_of_ours_is_told_without_details_and_logged_without_content(
    console: Console, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(console.kafka, "all_of", broken)
    with caplog.at_level(logging.DEBUG):
        answer = console.ask("GET", "/api/posts/p-1")
    assert answer.status == 500
    assert answer.json == {"error": "a fault of the console's own: its log has more"}
    assert "ZeroDivisionError" in caplog.text
    assert "alert" not in caplog.text


def test_no_content_is_logged(console: Console, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        console.ask("GET", "/api/posts/p-1")
        console.ask("POST", "/api/feedback", json={**FEEDBACK, "comment": "a secret remark"})
        console.ask("POST", "/api/feedback", data=b'{"comment": "a secret remark"')
    assert "alert" not in caplog.text
    assert "secret" not in caplog.text
