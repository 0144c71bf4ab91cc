"""docs/contracts.md says what the code does: topics, messages, headers, names, commands, limits."""

from __future__ import annotations

import re

import pytest

from commands.main import COMMANDS
from schemas import (
    ATTACKS,
    LABELS,
    MAX_MESSAGE_BYTES,
    MAX_POST_BYTES,
    TARGETS,
    URI_SCHEMES,
    Action,
    Cause,
    DeadLetterHeaders,
    Priority,
    Status,
    decode_decision,
    decode_post,
)
from schemas.jsonschemas import PUBLIC_TYPES
from streams.insights.topics import InsightTopics
from streams.settings import load_settings
from streams.topology import Topics
from tests.docs.pages import ROOT, blocks

PAGE = ROOT / "docs" / "contracts.md"
TEXT = " ".join(PAGE.read_text(encoding="utf-8").split())
EXAMPLES = {block.split('"')[3]: block.encode() for block in blocks(PAGE, frozenset({"json"}))}
TOPIC = re.compile(r"`(moderation\.[a-z0-9.-]+)`")


def test_the_table_has_every_topic_and_no_other() -> None:
    inner = InsightTopics(load_settings(env={}).settings)
    assert set(TOPIC.findall(TEXT)) == {*Topics().all(), inner.grouped, inner.state}


def test_the_table_has_every_command_and_no_other() -> None:
    assert re.findall(r"\| `modstream ([a-z]+)` \|", TEXT) == list(COMMANDS)


@pytest.mark.parametrize("name", [*DeadLetterHeaders.names(), *Cause, *Priority, *Status, *Action, *URI_SCHEMES])
def test_a_header_code_or_choice_is_described(name: str) -> None:
    assert f"`{name}`" in TEXT


@pytest.mark.parametrize(("kind", "names"), [("Labels", LABELS), ("Targets", TARGETS), ("Attacks", ATTACKS)])
def test_the_names_of_version_1_are_in_their_order(kind: str, names: tuple[str, ...]) -> None:
    assert f"{kind}: {', '.join(names)}." in TEXT


@pytest.mark.parametrize("schema", [schema for schema in PUBLIC_TYPES if schema.endswith("/1")])
def test_a_public_message_is_described(schema: str) -> None:
    assert f"`{schema}`" in TEXT


def test_the_examples_are_what_they_say() -> None:
    assert decode_post(EXAMPLES["post/1"]).post_id == "p-1"
    assert decode_decision(EXAMPLES["decision/1"]).post_id == "p-1"


def test_sizes_are_as_described() -> None:
    assert f"at most 2 MiB ({MAX_POST_BYTES:,} bytes)" in TEXT
    assert MAX_MESSAGE_BYTES == 4 * 1024 * 1024
