"""Settings of the work itself: how much a worker holds, how stages batch, and what happens when things go wrong."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct

from streams.topology import LANES, Lane

MIB = 1024 * 1024


class Device(StrEnum):
    """Where the models run."""

    CPU = "cpu"
    CUDA = "cuda"
    TENSORRT = "tensorrt"


class WorkerSettings(Struct, frozen=True, kw_only=True):
    """One worker process: how much it holds, how often it commits, how long it waits."""

    lanes: Annotated[
        tuple[Lane, ...],
        Meta(
            min_length=1,
            description="The lanes that this worker serves. Long media in processes of their own (`long` for workers "
            "of `ocr` and `asr`, `standard` and `urgent` for all others) leave short posts their cores.",
        ),
    ] = LANES
    max_in_flight_records: Annotated[
        int,
        Meta(
            ge=1,
            le=1_000_000,
            description="Records of a lane between poll and commit; at this many, the lane's partitions pause. Some "
            "commits' worth of the fastest chain, so that stages never run dry, and little to redo after a kill.",
        ),
    ] = 10_000
    max_in_flight_long: Annotated[
        int,
        Meta(
            ge=1,
            le=10_000,
            description="The same for the `long` lane: enough to fill a batch of ten-minute recordings, and few enough "
            "that the last of them is done within `worker.long_ticket_age_limit_s`.",
        ),
    ] = 8
    max_in_flight_bytes: Annotated[
        int,
        Meta(
            ge=8 * MIB,
            description="The same limit in bytes of the messages read, for posts that are large; each lane has it. The "
            "least holds two of the largest records.",
        ),
    ] = 64 * MIB
    commit_interval_ms: Annotated[
        int,
        Meta(
            ge=1,
            le=10_000,
            description="Finished work waits at most this long for its commit, which readers wait for too. "
            "A commit costs 4 to 15 ms, so shorter gains little latency and costs throughput.",
        ),
    ] = 25
    transaction_timeout_ms: Annotated[
        int,
        Meta(
            ge=1_000,
            le=900_000,
            description="The open transaction of a worker that was killed holds every reader back for this long. "
            "Longer than any commit takes; the broker's own upper limit is 15 minutes.",
        ),
    ] = 10_000
    ticket_age_limit_s: Annotated[
        float,
        Meta(
            ge=1,
            le=86_400,
            description="A message that has been in work for longer than this makes `/live` fail, so that a worker "
            "that hangs is restarted. Far above any honest batch.",
        ),
    ] = 300.0
    long_ticket_age_limit_s: Annotated[
        float,
        Meta(
            ge=1,
            le=86_400,
            description="The same for a message of the `long` lane. Eight recordings of ten minutes take 24 minutes on "
            "a core that hears them at 0.3 of their length.",
        ),
    ] = 3_600.0
    drain_timeout_s: Annotated[
        float,
        Meta(
            ge=0,
            le=3_600,
            description="After SIGTERM, work in hand may finish for this long before it is left to others. Less than "
            "the 30 s that Kubernetes waits before it kills.",
        ),
    ] = 25.0
    device: Annotated[
        Device,
        Meta(
            description="Where the models run. `cuda` and `tensorrt` need the extra `modstream[gpu]`; a device that "
            "cannot be had is an error, never a silent step back to the CPU. Not run on hardware yet."
        ),
    ] = Device.CPU
    engines: (
        Annotated[
            Path,
            Meta(
                description="Folder of TensorRT engines that `modstream pack build` made of the pack's graphs; needs "
                "`worker.device` tensorrt. Graphs for text and pictures then run on native TensorRT, and one without "
                "an engine that fits is an error; without it, `tensorrt` is ONNX Runtime's execution provider. Not "
                "run on hardware yet."
            ),
        ]
        | None
    ) = None
    cpu_threads: (
        Annotated[
            int,
            Meta(
                ge=1,
                le=1_024,
                description="Threads that prepare items, and that an engine on the CPU may use; without it, as many as "
                "there are cores this process may use.",
            ),
        ]
        | None
    ) = None


class StageBatch(Struct, frozen=True, kw_only=True):
    """One stage's batches, where they should differ from what its processor asks for."""

    max_items: (
        Annotated[
            int,
            Meta(ge=1, le=100_000, description="Most items in a batch; without it, the processor's own number."),
        ]
        | None
    ) = None
    max_cost: (
        Annotated[
            int,
            Meta(
                ge=1,
                description="Most cost in a batch, in the processor's unit (tokens, for text); without it, its own.",
            ),
        ]
        | None
    ) = None
    max_wait_ms: (
        Annotated[
            float,
            Meta(
                ge=0,
                le=60_000,
                description="How long the first item of a batch waits for others: more gives fuller batches and more "
                "latency; without it, the processor's own number.",
            ),
        ]
        | None
    ) = None


class BatchSettings(Struct, frozen=True, kw_only=True):
    """Overrides by stage."""

    ingest: StageBatch = StageBatch()
    ocr: StageBatch = StageBatch()
    asr: StageBatch = StageBatch()
    pack: StageBatch = StageBatch()
    encode: StageBatch = StageBatch()
    fuse: StageBatch = StageBatch()


class RetrySettings(Struct, frozen=True, kw_only=True):
    """Transient failures, after two tries in place. The delays are topics, and so are fixed: 5 s, 1 min, 10 min."""

    max_attempts: Annotated[
        int,
        Meta(
            ge=0,
            le=100,
            description="Times a record goes through the retry topics before it is a dead letter: 5 s, then 1 min, "
            "then 10 min each time. The default takes each delay once; 0 goes straight to the dead letters.",
        ),
    ] = 3


class BreakerSettings(Struct, frozen=True, kw_only=True):
    """When a worker stops rather than turn a stream into dead letters. Posts that are invalid never count."""

    window_s: Annotated[
        float,
        Meta(ge=1, le=3_600, description="The time over which failures of ours are counted."),
    ] = 60.0
    min_count: Annotated[
        int,
        Meta(ge=1, description="Fewer failures of ours than this in the window say nothing about a rate."),
    ] = 20
    failure_ratio: Annotated[
        float,
        Meta(
            gt=0,
            le=1,
            description="The share of failures at which the worker pauses. Single poison posts stay far below.",
        ),
    ] = 0.5
    probe_interval_s: Annotated[
        float,
        Meta(
            ge=0.1, le=3_600, description="How often a worker that paused tries one batch to see whether it may go on."
        ),
    ] = 10.0


class LimitSettings(Struct, frozen=True, kw_only=True):
    """How much of a post is read and shown. What a limit leaves unread makes its modality `partial`, never silent."""

    max_text_chars: Annotated[
        int,
        Meta(
            ge=100,
            description="Code points of a text field that are normalised and tokenised: bounds the time that one huge "
            "post can take, and is more than the windows hold.",
        ),
    ] = 20_000
    max_windows: Annotated[
        int,
        Meta(
            ge=1,
            le=1_024,
            description="Overlapping windows that a long text is scored in; each costs as much as a short post.",
        ),
    ] = 16
    evidence_count: Annotated[
        int,
        Meta(ge=0, le=1_000, description="Most pieces of evidence in a decision; a reviewer reads no more."),
    ] = 50
    evidence_chars: Annotated[
        int,
        Meta(ge=1, le=10_000, description="Longest text of one piece of evidence; a reviewer needs a sentence or two."),
    ] = 300
    evidence_rows: Annotated[
        int,
        Meta(
            ge=0,
            le=32,
            description="Where a post over a threshold has several sentences, lines or segments: how many of them are "
            "left out one at a time, each scored like a window, to find those that count; their words are scored one "
            "by one, and remembered. 0: evidence is whole windows.",
        ),
    ] = 2
    evidence_word_rows: Annotated[
        int,
        Meta(
            ge=0,
            le=96,
            description="Words of a post over a threshold that are left out one at a time as well. Each costs as much "
            "as the post itself; three agree a little better with what people mark.",
        ),
    ] = 0
