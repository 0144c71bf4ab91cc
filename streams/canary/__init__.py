"""Whether a canary may take over: what the topics say of it beside the live decisions, and the verdict on that."""

from __future__ import annotations

from streams.canary.report import Report, report_of
from streams.canary.verdict import Point, Side, Verdict, judged_points, verdict_of

__all__ = ["Point", "Report", "Side", "Verdict", "judged_points", "report_of", "verdict_of"]
