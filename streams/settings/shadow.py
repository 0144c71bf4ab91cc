"""Settings of what judges beside the live pack and policy: a shadow without effect, a canary for some of the posts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct

MIB = 1024 * 1024


class ShadowSettings(Struct, frozen=True, kw_only=True):
    """A second policy or pack that is evaluated on the posts of the worker that hosts `fuse`, and has no effect: its
    decisions go to `moderation.decisions.shadow` and to the metrics. Without `pack` and `policy` there is none."""

    pack: (
        Annotated[
            Path,
            Meta(
                description="Folder of the shadow's model pack; without it, the live pack's scores are judged by "
                "`shadow.policy`, which costs no model."
            ),
        ]
        | None
    ) = None
    policy: (
        Annotated[
            Path,
            Meta(description="The shadow's policy file; without it, the live one, over the pack of `shadow.pack`."),
        ]
        | None
    ) = None
    share: Annotated[
        float,
        Meta(
            gt=0,
            le=1,
            description="Share of the posts that the shadow judges, chosen by a stable hash of the post id. All by "
            "default; a shadow with a pack of its own doubles the cost of `encode`, and less is enough for a picture.",
        ),
    ] = 1.0
    max_records: Annotated[
        int,
        Meta(
            ge=1,
            le=100_000,
            description="Posts that may wait for the shadow; what does not fit is skipped and counted. Some seconds' "
            "worth: a shadow that is behind for longer is too slow, and waiting would only cost memory.",
        ),
    ] = 1_000
    max_bytes: Annotated[
        int,
        Meta(
            ge=MIB,
            description="The same limit in bytes of the messages that these posts came in, for posts that are large.",
        ),
    ] = 64 * MIB


class CanarySettings(Struct, frozen=True, kw_only=True):
    """A second policy or pack that judges a share of the posts for real. Every worker of the chain has the same
    settings. Without `pack` and `policy` there is none; `modstream canary` says whether to promote it."""

    pack: (
        Annotated[
            Path, Meta(description="Folder of the canary's model pack; without it, the live one, with `canary.policy`.")
        ]
        | None
    ) = None
    policy: (
        Annotated[
            Path,
            Meta(description="The canary's policy file; without it, the live one, over the pack of `canary.pack`."),
        ]
        | None
    ) = None
    share: Annotated[
        float,
        Meta(
            ge=0,
            le=1,
            description="Share of the posts that the canary judges, chosen by a stable hash of the post id: few enough "
            "that a bad one does little harm, and some hundreds in an hour of one post a second or two. At 0 the "
            "workers only host it: the first and the last step where stages are in processes of their own.",
        ),
    ] = 0.05
    salt: Annotated[
        str,
        Meta(
            pattern=r"^[A-Za-z0-9._-]{1,32}\Z",
            title="1 to 32 letters, digits, '.', '_' and '-'",
            description="Part of the hash: another salt, another choice of posts. Change it with each canary, so that "
            "not always the same posts are tried on.",
        ),
    ] = "canary-1"
    window_s: Annotated[
        float,
        Meta(ge=1, le=3_600, description="The time over which a worker counts its canary's failures."),
    ] = 60.0
    min_failures: Annotated[
        int,
        Meta(ge=1, description="Fewer failures of the canary than this in the window do not switch it off."),
    ] = 5
    max_error_ratio: Annotated[
        float,
        Meta(
            ge=0,
            le=1,
            description="A worker whose canary fails on more than this share of its posts in the window, at one stage, "
            "stops choosing it; `modstream canary` rolls it back above. Far above single poison posts.",
        ),
    ] = 0.02
    min_posts: Annotated[
        int,
        Meta(
            ge=1,
            description="With fewer decisions of the canary than this, `modstream canary` says to hold: 500 tell an "
            "error ratio of 2% from one under 1%.",
        ),
    ] = 500
    max_p95_ratio: Annotated[
        float,
        Meta(
            gt=0,
            le=100,
            description="The canary's p95 of `timings_ms.total` may be at most this many times that of the live "
            "decisions; less than a fourth more is in the noise of busy machines.",
        ),
    ] = 1.25
    max_mix_shift: Annotated[
        float,
        Meta(
            gt=0,
            le=1,
            description="Share of the posts that may get another action (total variation distance of the two mixes). "
            "A canary that is meant to change actions needs more than the default.",
        ),
    ] = 0.05
    min_feedback: Annotated[
        int,
        Meta(
            ge=1,
            description="Feedback that both sides must have before agreement with it counts; with less, that point is "
            "left out, since reviewers see few of a canary's posts.",
        ),
    ] = 30
    max_agreement_loss: Annotated[
        float,
        Meta(
            gt=0,
            le=1,
            description="How much smaller the share of reviewed decisions may be that people agree with.",
        ),
    ] = 0.05
