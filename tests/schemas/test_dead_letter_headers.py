"""Headers of dead letters and retries: written once, read back whatever is there."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from schemas import HEADER_PREFIX, Cause, DeadLetterHeaders, Stage

FULL = DeadLetterHeaders(
    stage=Stage.INGEST,
    cause=Cause.INVALID_POST,
    reason="invalid enum value 'picture'",
    field="media[0].kind",
    attempt=2,
    not_before_ms=1795316084641,
    topic="moderation.posts",
    partition=3,
    offset=4711,
    timestamp_ms=1795316079641,
    code="1.0",
    pack="embedded@1a2b",
    policy="default@3c4d",
    traceparent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
)


def test_the_headers_have_the_published_names() -> None:
    assert [name.removeprefix(HEADER_PREFIX) for name, _ in FULL.to_headers()] == [
        *("stage", "cause", "reason", "field", "attempt", "not-before", "topic", "partition", "offset", "timestamp"),
        *("code", "pack", "policy", "traceparent"),
    ]


def test_headers_survive() -> None:
    assert DeadLetterHeaders.from_headers(FULL.to_headers()) == FULL


def test_what_is_not_known_has_no_header() -> None:
    headers = DeadLetterHeaders(stage="ocr", partition=0).to_headers()
    assert headers == [("modstream-stage", b"ocr"), ("modstream-partition", b"0")]


def test_received_headers_are_kept_and_ours_replace_older_ones_of_ours() -> None:
    received = [("trace", b"\xff\x00"), ("modstream-attempt", b"1"), ("modstream-field", b"text"), ("empty", None)]
    assert DeadLetterHeaders(attempt=2).to_headers(received) == [
        ("trace", b"\xff\x00"),
        ("empty", b""),
        ("modstream-attempt", b"2"),
    ]


def test_missing_headers_are_none() -> None:
    assert DeadLetterHeaders.from_headers(None) == DeadLetterHeaders()
    assert DeadLetterHeaders.from_headers([("other", b"x")]) == DeadLetterHeaders()


def test_garbage_is_read_as_far_as_it_can_be() -> None:
    found = DeadLetterHeaders.from_headers(
        [
            ("modstream-attempt", b"two"),
            ("modstream-offset", b"9" * 5000),
            ("modstream-partition", "²".encode()),
            ("modstream-timestamp", b"-1"),
            ("modstream-not-before", None),
            ("modstream-cause", b"a_cause_of_tomorrow"),
            ("modstream-reason", b"caf\xe9"),
            ("modstream-stage", "pack"),
        ]
    )
    assert found == DeadLetterHeaders(timestamp_ms=-1, cause="a_cause_of_tomorrow", reason="caf\ufffd", stage="pack")


def test_of_repeated_headers_the_last_holds() -> None:
    assert DeadLetterHeaders.from_headers([("modstream-attempt", b"1"), ("modstream-attempt", b"2")]).attempt == 2


def test_long_and_unencodable_text_is_cut_and_replaced() -> None:
    ((_, value),) = DeadLetterHeaders(reason="\ud800" + "x" * 1_000_000).to_headers()
    assert value == b"?" + b"x" * 999


NAMES = st.sampled_from(list(DeadLetterHeaders.names())) | st.text()


@given(st.lists(st.tuples(NAMES, st.none() | st.binary() | st.text(st.characters()))))
def test_any_headers_can_be_read_and_written_again(headers: list[tuple[str, bytes | str | None]]) -> None:
    found = DeadLetterHeaders.from_headers(headers)
    assert DeadLetterHeaders.from_headers(found.to_headers(headers)) == found


def test_causes_are_stable_codes() -> None:
    assert [*Cause] == [
        *("invalid_post", "invalid_record", "unsupported_version", "too_large"),
        *("poison", "crash_loop", "transient", "retries_exhausted"),
    ]
