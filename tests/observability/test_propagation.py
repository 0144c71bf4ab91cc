from __future__ import annotations

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.trace import SpanContext, TraceFlags, TraceState

from streams.telemetry import extract, inject, traceparent

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN = "00f067aa0ba902b7"
VALID = f"00-{TRACE}-{SPAN}-01"

contexts = st.builds(
    SpanContext,
    trace_id=st.integers(1, 2**128 - 1),
    span_id=st.integers(1, 2**64 - 1),
    is_remote=st.just(True),
    trace_flags=st.integers(0, 255).map(TraceFlags),
    trace_state=st.dictionaries(
        st.from_regex(r"[a-z][a-z0-9_*/-]{0,10}", fullmatch=True),
        st.from_regex(r"[!-+\--<>-~]{1,10}", fullmatch=True),
        max_size=5,
    ).map(lambda entries: TraceState(list(entries.items()))),
)


@given(contexts)
def test_a_context_survives_the_headers(context: SpanContext) -> None:
    assert extract(inject(context)) == context


def test_the_headers_have_the_names_and_the_form_of_the_standard() -> None:
    context = SpanContext(int(TRACE, 16), int(SPAN, 16), False, TraceFlags(1), TraceState([("vendor", "a:1")]))
    assert inject(context) == [("traceparent", VALID.encode()), ("tracestate", b"vendor=a:1")]
    assert traceparent(context) == VALID


def test_an_invalid_context_has_no_headers() -> None:
    assert inject(SpanContext(0, 0, False)) == []


def test_a_message_that_comes_back_goes_on_from_its_last_try() -> None:
    last = f"00-{TRACE}-{'ab' * 8}-01"
    headers = [("modstream-traceparent", last.encode()), ("traceparent", VALID.encode())]
    context = extract(headers)
    assert context is not None
    assert traceparent(context) == last
    alone = extract(headers[:1])
    assert alone is not None
    assert traceparent(alone) == last


def test_a_last_try_that_is_no_context_leaves_the_senders() -> None:
    context = extract([("traceparent", VALID.encode()), ("modstream-traceparent", b"00-1")])
    assert context is not None
    assert traceparent(context) == VALID


def test_a_message_without_headers_has_no_context() -> None:
    assert extract(None) is None
    assert extract([("other", b"1")]) is None


@pytest.mark.parametrize(
    "value",
    [
        b"",
        None,
        b"garbage",
        VALID[:-1].encode(),
        VALID.upper().encode(),
        f"{VALID}-more".encode(),
        f"{VALID}\n".encode(),
        f" {VALID}".encode(),
        f"ff-{TRACE}-{SPAN}-01".encode(),
        f"00-{'0' * 32}-{SPAN}-01".encode(),
        f"00-{TRACE}-{'0' * 16}-01".encode(),
        f"00-{TRACE}-{SPAN}-0x".encode(),
        b"\xff\xfe\x00",
        b"0" * 100_000,
    ],
)
def test_a_malformed_traceparent_is_ignored_in_silence(value: bytes | None, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        assert extract([("traceparent", value)]) is None
    assert caplog.records == []


@pytest.mark.parametrize(
    "state",
    [
        b"",
        b"no member",
        b"a=1,a=2",
        b"A=1",
        b"a=1,,b=\xff",
        b"a=" + b"x" * 600,
        b",".join(b"k%d=1" % number for number in range(33)),
    ],
)
def test_a_malformed_tracestate_is_dropped_in_silence_and_the_trace_goes_on(
    state: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        context = extract([("traceparent", VALID.encode()), ("tracestate", state)])
    assert context is not None
    assert not context.trace_state
    assert caplog.records == []


def test_a_tracestate_may_have_spaces_and_empty_members() -> None:
    context = extract([("traceparent", VALID), ("tracestate", " a=1 , ,b@c=x y ")])
    assert context is not None
    assert dict(context.trace_state) == {"a": "1", "b@c": "x y"}


def test_a_later_version_may_say_more_at_the_end() -> None:
    context = extract([("traceparent", f"01-{TRACE}-{SPAN}-01-what-is-to-come".encode())])
    assert context is not None
    assert traceparent(context) == VALID


def test_of_several_traceparents_the_last_holds() -> None:
    context = extract([("traceparent", VALID), ("traceparent", VALID.replace("-01", "-00"))])
    assert context is not None
    assert not context.trace_flags.sampled


@given(st.lists(st.tuples(st.sampled_from(["traceparent", "tracestate", "x"]), st.binary() | st.text() | st.none())))
def test_no_header_whatever_raises(headers: list[tuple[str, bytes | str | None]]) -> None:
    context = extract(headers)
    assert context is None or context.is_valid
