"""Settings of insights: windows, what is late, what counts as drift and as a flood."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

DAY_S = 24 * 60 * 60


class InsightSettings(Struct, frozen=True, kw_only=True):
    """What `modstream insights` counts, and over which spans of time. Decisions do not depend on any of it."""

    window_s: Annotated[
        int,
        Meta(
            ge=1,
            le=DAY_S,
            description="Length of the windows that are counted, in seconds. A minute is short enough to see an "
            "incident begin and long enough to hold more than a handful of posts.",
        ),
    ] = 60
    grace_s: Annotated[
        int,
        Meta(
            ge=0,
            le=DAY_S,
            description="How much longer than its end a window stays open for messages that come late. They are late "
            "by at most the chain's commit and the difference between two machines' clocks: half a minute is ample.",
        ),
    ] = 30
    drift_window_s: Annotated[
        int,
        Meta(
            ge=1,
            le=30 * DAY_S,
            description="Length of the windows whose scores are compared with the reference; a multiple of "
            "`window_s`. An hour, because PSI of few scores is mostly noise.",
        ),
    ] = 3600
    reference_s: Annotated[
        int,
        Meta(
            ge=1,
            le=365 * DAY_S,
            description="Length of the reference: scores are compared with those of the whole span of this length "
            "before theirs; a multiple of `drift_window_s`. A day holds every hour of the day once.",
        ),
    ] = DAY_S
    drift_min_scores: Annotated[
        int,
        Meta(
            ge=1,
            description="Fewer scores of a label than this, in window or reference, give no PSI. With ten bins and "
            "no drift at all, 200 against 200 give 0.09 on average, which is just below `drift_moderate`.",
        ),
    ] = 200
    drift_moderate: Annotated[
        float,
        Meta(gt=0, description="A PSI from here on is notable: some change, by the rule of thumb of credit scoring."),
    ] = 0.1
    drift_major: Annotated[
        float,
        Meta(gt=0, description="A PSI from here on is a major change, by the same rule of thumb."),
    ] = 0.25
    floods: Annotated[
        bool,
        Meta(
            description="Whether posts are read too, to find one picture or nearly one text posted many times. Reading "
            "them costs as much network as the chain's own reading."
        ),
    ] = True
    flood_posts: Annotated[
        int,
        Meta(
            ge=2,
            description="Posts within a window that share a medium or a text, from which on they are a flood. Thirty a "
            "minute is more than people do by themselves with anything but greetings, which are too short to count.",
        ),
    ] = 30
    flood_capacity: Annotated[
        int,
        Meta(
            ge=8,
            le=4096,
            description="How many media and texts each of the 16 shards keeps count of in a window. What is in more "
            "than 1/256 of a shard's posts is never missed at 256, and memory stays at some megabytes.",
        ),
    ] = 256
    flood_top: Annotated[
        int,
        Meta(ge=1, le=1000, description="The most floods that one shard reports for a window, from the largest down."),
    ] = 20
