"""Windowed aggregates over what the chain publishes. Decisions never depend on them.

Faust is imported by `agents` and `run` only, which are imported when they are run: the rest needs no extra.
"""

from streams.insights.batch import recompute
from streams.insights.groups import Group, Kind, Source
from streams.insights.observe import Message, Observer
from streams.insights.topics import InsightTopics

__all__ = ["Group", "InsightTopics", "Kind", "Message", "Observer", "Source", "recompute"]
