"""docs/security-and-privacy.md names every place that keeps something, with the time that the settings give it."""

from __future__ import annotations

import re

import pytest

from console.access import Role
from streams.insights.topics import InsightTopics
from streams.privacy import HASH_DIGITS
from streams.settings import load_settings
from streams.topics import TopicPlan, planned
from streams.topology import STAGES, Topics
from tests.docs.pages import ROOT

TEXT = (ROOT / "docs" / "security-and-privacy.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in TEXT.partition("## What is kept")[2].partition("\n## ")[0].splitlines()
    if line.startswith("| ") and not line.startswith(("| place", "| ---"))
]
SETTINGS = load_settings(env={}).settings
DAY_MS = 86_400_000


def row_of(topic: str) -> list[str]:
    """The row that is about a topic: the inner ones, the lanes and the retries have one together."""
    names = Topics()
    base = topic.removesuffix(".urgent").removesuffix(".long")
    if base in {names.stage(stage) for stage in STAGES[1:]}:
        base = names.stage(STAGES[1])
    if base in names.retries():
        base = "moderation.retry.…"
    (row,) = (row for row in ROWS if f"`{base}`" in row[0])
    return row


@pytest.mark.parametrize("plan", planned(SETTINGS.topics), ids=lambda plan: plan.name)
def test_a_topic_is_there_with_its_retention(plan: TopicPlan) -> None:
    days = int(plan.config["retention.ms"]) // DAY_MS
    assert re.search(rf"\b{days} days?\b", row_of(plan.name)[-1])


def test_what_insights_keep_in_between_is_there() -> None:
    inner = InsightTopics(SETTINGS)
    assert any(inner.grouped in row[0] for row in ROWS)


def test_other_numbers_are_those_of_the_code() -> None:
    assert f"`MODSTREAM_STORE__RETENTION_DAYS` ({SETTINGS.store.retention_days:g})" in TEXT
    assert f"cut to {4 * HASH_DIGITS} bits" in TEXT


def test_every_role_of_the_console_is_there() -> None:
    assert re.findall(r"^\| `(\w+)` \|", TEXT.partition("## Who may see what")[2], re.MULTILINE) == [
        role.value for role in Role
    ]
