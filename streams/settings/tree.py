"""The settings, as one typed and frozen tree. Each description says what it is and why its default is that.

The names here are the names everywhere: `worker.commit_interval_ms` is `commit_interval_ms` under `[worker]` in the
file, `MODSTREAM_WORKER__COMMIT_INTERVAL_MS` in the environment and `--worker-commit-interval-ms` where a command has
such a flag. docs/settings.md is written from this tree.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct, field

from streams.settings.console import ConsoleSettings
from streams.settings.insights import InsightSettings
from streams.settings.kafka import KafkaSettings, TopicSettings
from streams.settings.log import LogSettings
from streams.settings.media import AsrSettings, KnownSettings, MediaSettings, OcrSettings, StoreSettings
from streams.settings.privacy import PrivacySettings
from streams.settings.shadow import CanarySettings, ShadowSettings
from streams.settings.work import BatchSettings, BreakerSettings, LimitSettings, RetrySettings, WorkerSettings

INSTALLED = Path(__file__).resolve().parents[2]
"""The folder that holds our packages and, beside them, `models/` and `policies/`: a clone's root, or site-packages."""

_NAME = r"^[A-Za-z0-9._-]{1,100}\Z"
_NAME_TITLE = "1 to 100 letters, digits, '.', '_' and '-'"


class Delivery(StrEnum):
    """What a reader of the decisions may rely on."""

    EXACTLY_ONCE = "exactly_once"
    AT_LEAST_ONCE = "at_least_once"


class HttpSettings(Struct, frozen=True, kw_only=True):
    """Where a worker serves `/live`, `/ready` and `/metrics`."""

    host: Annotated[
        str,
        Meta(
            pattern=r"^\S+\Z",
            title="a host name or an address",
            description="Address to listen on. Metrics are nobody else's business unless you say so.",
        ),
    ] = "127.0.0.1"
    port: Annotated[
        int,
        Meta(
            ge=0,
            le=65_535,
            description="Port to listen on; 0 takes a free one and logs it, so that several workers fit on a machine. "
            "The container image sets 8080.",
        ),
    ] = 0


class MetricSettings(Struct, frozen=True, kw_only=True):
    """Which values get a time series of their own; all others are the label `other`, or senders could make millions."""

    tenants: Annotated[
        tuple[str, ...],
        Meta(description="Tenants that are told apart in metrics. A post that names no tenant belongs to `default`."),
    ] = ("default",)
    languages: Annotated[
        tuple[str, ...],
        Meta(description="Languages (ISO 639 codes) that are told apart in metrics; by default the most written."),
    ] = tuple("ar bn de en es fa fr hi id it ja ko nl pl pt ru tr uk ur vi zh".split())  # noqa: SIM905
    regions: Annotated[
        tuple[str, ...],
        Meta(
            description="Regions that are told apart in metrics; their names are the senders' own, so none by default."
        ),
    ] = ()


class TracingSettings(Struct, frozen=True, kw_only=True):
    """OpenTelemetry traces that follow a post through every topic."""

    sample_ratio: Annotated[
        float,
        Meta(
            ge=0,
            le=1,
            description="Share of posts that are traced when their sender has not decided; at 1% the traces of a busy "
            "topic stay affordable.",
        ),
    ] = 0.01
    otlp_endpoint: (
        Annotated[
            str,
            Meta(
                pattern=r"^https?://[^\s/?#@]+(/[^\s?#]*)?\Z",
                title="an http or https address without user name, such as http://collector:4318",
                description="Base address of an OTLP/HTTP collector (`/v1/traces` is added); without it, no spans are "
                "sent. Needs the extra `modstream[otlp]`.",
            ),
        ]
        | None
    ) = None


class Settings(Struct, frozen=True, kw_only=True):
    """Everything that can be set."""

    delivery: Annotated[
        Delivery,
        Meta(
            description="`exactly_once` commits outputs and offsets in one transaction and is no slower; "
            "`at_least_once` is for clusters without transactions, and may repeat decisions (same `decision_id`)."
        ),
    ] = Delivery.EXACTLY_ONCE
    group: Annotated[
        str,
        Meta(
            pattern=_NAME,
            title=_NAME_TITLE,
            description="The one consumer group of the chain: all workers that share the work name the same group. "
            "Replay, tail and the like use `<group>.<purpose>`.",
        ),
    ] = "modstream"
    instance: (
        Annotated[
            str,
            Meta(
                pattern=_NAME,
                title=_NAME_TITLE,
                description="This worker's own name, part of its transactional id; a stable one shortens the stall "
                "after a restart. Without it: the pod's name, else host name and lowest free slot.",
            ),
        ]
        | None
    ) = None
    state_dir: Annotated[
        Path,
        Meta(
            description="Folder for the in-flight journal and the instance locks; must outlive the process, so that a "
            "message that kills workers is recognised."
        ),
    ] = field(default_factory=lambda: Path("~/.local/state/modstream").expanduser())
    pack: Annotated[
        Path,
        Meta(
            description="Folder of the model pack. The default ships with modstream and needs no GPU and no download."
        ),
    ] = INSTALLED / "models" / "embedded"
    fusion: Annotated[
        bool,
        Meta(
            description="Whether the pack's fusion of words and pictures judges, where the pack has one. Off: a label "
            "is the highest of its experts' scores, as in packs without a fusion."
        ),
    ] = True
    policy: Annotated[
        Path,
        Meta(
            description="The policy file (YAML). The default ships with modstream; `modstream policy check` checks one."
        ),
    ] = INSTALLED / "policies" / "default.yaml"
    kafka: KafkaSettings = KafkaSettings()
    topics: TopicSettings = TopicSettings()
    store: StoreSettings = StoreSettings()
    media: MediaSettings = MediaSettings()
    known: KnownSettings = KnownSettings()
    ocr: OcrSettings = OcrSettings()
    asr: AsrSettings = AsrSettings()
    worker: WorkerSettings = WorkerSettings()
    batch: BatchSettings = BatchSettings()
    retry: RetrySettings = RetrySettings()
    breaker: BreakerSettings = BreakerSettings()
    limits: LimitSettings = LimitSettings()
    shadow: ShadowSettings = ShadowSettings()
    canary: CanarySettings = CanarySettings()
    http: HttpSettings = HttpSettings()
    metrics: MetricSettings = MetricSettings()
    tracing: TracingSettings = TracingSettings()
    log: LogSettings = LogSettings()
    insights: InsightSettings = InsightSettings()
    console: ConsoleSettings = ConsoleSettings()
    privacy: PrivacySettings = PrivacySettings()
