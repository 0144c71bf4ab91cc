"""Every metric of modstream, declared once. `docs/metrics.md` is written from here (`python -m streams.metrics`)."""

from __future__ import annotations

from streams.metrics.specs import CounterSpec, GaugeSpec, HistogramSpec, Spec

FAST_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""From half a millisecond (a short text on a CPU) to 30 s (a long recording), about 2.5 times apart."""
SHARES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0)
"""Of a confidence."""

# Messages and posts

MESSAGES_CONSUMED = CounterSpec(
    "modstream_messages_consumed_total",
    "Messages taken from Kafka, also those that are read again after a rebalance or an aborted transaction.",
    ("topic", "lane"),
)
POSTS_DECIDED = CounterSpec(
    "modstream_posts_decided_total",
    "Posts whose decision was committed. Tenants, regions and languages that the settings do not list are `other`, "
    "missing ones are `none`.",
    ("action", "tenant", "lang", "region"),
)
POSTS_DELETED = CounterSpec(
    "modstream_posts_deleted_total", "Posts that a null value deleted, counted when the tombstone was committed."
)
END_TO_END_SECONDS = HistogramSpec(
    "modstream_end_to_end_seconds",
    "From the time that a post was published (its message's timestamp) to the commit that made its decision readable. "
    "`lane` is `long` for a post whose media went through that lane; `kind` is `text`, or `media` for a post with any.",
    ("lane", "kind"),
    buckets=(0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0, 1800.0),
    why="dense around 0.1 s, the goal for text; the last ones hold what waited in the retry topics (5 s to 10 min)",
)
OUTPUTS = CounterSpec("modstream_outputs_total", "Messages produced and committed.", ("topic",))
DECISION_CONFIDENCE = HistogramSpec(
    "modstream_decision_confidence",
    "Confidence of the decisions that were committed, 0 to 1; `_sum` / `_count` is the mean.",
    ("action",),
    buckets=SHARES,
    why="tenths of a probability, and finer near 1, where most decisions are",
)
MODALITY_CONFIDENCE = HistogramSpec(
    "modstream_modality_confidence",
    "Confidence of each modality that an expert judged in these decisions, 0 to 1: text, ocr, image, speech.",
    ("modality",),
    buckets=SHARES,
    why="the same as a decision's, to be compared with it",
)

# Stages

STAGE_RECORDS = CounterSpec(
    "modstream_stage_records_total",
    "Records that a stage has finished and handed on; retries and dead letters are counted by their own metrics.",
    ("stage",),
)
BATCH_ITEMS = HistogramSpec(
    "modstream_batch_items",
    "Records in one engine call. Its `_count` is the number of batches; `_sum` / `_count` is the average batch.",
    ("stage",),
    buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256, 512),
    why="powers of two, as batch limits and padding shapes are",
)
BATCH_COST = HistogramSpec(
    "modstream_batch_cost",
    "Cost of one engine call in the stage's own unit: tokens, pixels, or 30-second windows of sound.",
    ("stage",),
    buckets=tuple(float(4**power) for power in range(13)),
    why="powers of four from 1 to 16.8 million, because one scale has to hold a window of sound and a picture's pixels",
)
BATCH_LIMIT_ITEMS = GaugeSpec(
    "modstream_batch_limit_items",
    "Most records that a batch of the stage may hold, by settings or its own.",
    ("stage",),
)
BATCH_LIMIT_COST = GaugeSpec(
    "modstream_batch_limit_cost", "Most cost that a batch of the stage may have, in the stage's own unit.", ("stage",)
)
QUEUE_SECONDS = HistogramSpec(
    "modstream_queue_seconds",
    "How long the oldest record of a batch waited at the stage: what waiting costs.",
    ("stage",),
    buckets=FAST_SECONDS,
    why="the same as compute time, to be compared with it",
)
PREPARE_SECONDS = HistogramSpec(
    "modstream_prepare_seconds",
    "CPU work on the records of one batch before its engine call.",
    ("stage",),
    buckets=FAST_SECONDS,
    why="the same as compute time, to be compared with it",
)
COMPUTE_SECONDS = HistogramSpec(
    "modstream_compute_seconds",
    "Time of the engine call for one batch: what working costs.",
    ("stage",),
    buckets=FAST_SECONDS,
    why="half a millisecond is a short text on a CPU, 30 s a long recording",
)
POISON_ISOLATED = CounterSpec(
    "modstream_poison_isolated_total", "Records found by halving a batch that raised, and given up.", ("stage",)
)
RETRIES = CounterSpec(
    "modstream_retries_total",
    "Records tried again. `delay` is that of the retry topic, or `in_place` for another try within the stage.",
    ("stage", "delay"),
)
DEAD_LETTERS = CounterSpec(
    "modstream_dead_letters_total", "Messages given up, by the cause in their headers.", ("stage", "cause")
)
MODALITY_FAILURES = CounterSpec(
    "modstream_modality_failures_total",
    "Modalities that could not be read, or not wholly; the post went on and is at least reviewed.",
    ("modality", "code"),
)

# The worker's own state

IN_FLIGHT_RECORDS = GaugeSpec(
    "modstream_in_flight_records", "Messages taken and not yet committed. Each lane has a budget of them.", ("lane",)
)
IN_FLIGHT_BYTES = GaugeSpec("modstream_in_flight_bytes", "Size of the messages taken and not yet committed.", ("lane",))
OLDEST_TICKET_AGE = GaugeSpec(
    "modstream_oldest_ticket_age_seconds",
    "How long the oldest message under way has been worked on, at the time of the scrape; 0 when there is none. "
    "`/live` fails above its limit.",
)
READY_STATE = GaugeSpec(
    "modstream_ready_state",
    "1 for each condition of `/ready` that holds, 0 for one that does not, at the time of the scrape.",
    ("condition",),
)
PARTITIONS_ASSIGNED = GaugeSpec("modstream_partitions_assigned", "Partitions that this worker reads.")
PARTITIONS_PAUSED = GaugeSpec(
    "modstream_partitions_paused",
    "Partitions that are assigned and not read: `budget` (too much in flight), `breaker` (too many failures of ours), "
    "`newer_version` (wait for newer workers), `not_before` (a retry is not due yet).",
    ("reason",),
)
JOURNAL_SUSPECTS = GaugeSpec(
    "modstream_journal_suspects", "Messages that were under way when a process died, and now run alone."
)
BREAKER_STATE = GaugeSpec(
    "modstream_breaker_state",
    "1 for the state that the breaker is in: `closed` (working), `open` (paused after too many failures of ours), "
    "`probing` (trying one batch).",
    ("state",),
)
BREAKER_PROBES = CounterSpec(
    "modstream_breaker_probes_total", "Probes of an open breaker: `succeeded` or `failed`.", ("outcome",)
)

# Kafka

TRANSACTIONS = CounterSpec(
    "modstream_transactions_total",
    "Transactions by outcome: `committed`; `aborted`, and sent again; `timed_out`, and asked again; `lost`: fatal or "
    "unknown, begun anew from the committed offsets; `fenced`: another process has this worker's id. At-least-once "
    "delivery counts its commits here too.",
    ("outcome",),
)
COMMIT_SECONDS = HistogramSpec(
    "modstream_commit_seconds",
    "From the first output of a transaction to its end.",
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
    why="a commit takes 3 to 15 ms; a transaction is over after 10 s, its time-out",
)
REBALANCES = CounterSpec("modstream_rebalances_total", "Rebalances: `assigned`, `revoked` or `lost`.", ("event",))
REBALANCE_DRAIN_SECONDS = HistogramSpec(
    "modstream_rebalance_drain_seconds",
    "Time to finish and commit what was under way on partitions that were taken away.",
    buckets=(0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0),
    why="up to 60 s, a fifth of Kafka's default max.poll.interval, which is the deadline",
)
LAG_MESSAGES = GaugeSpec(
    "modstream_lag_messages",
    "Messages of an assigned partition after the last committed one, at the worker's last look.",
    ("topic", "partition"),
)
LAG_SECONDS = GaugeSpec(
    "modstream_lag_seconds",
    "Age of the oldest message of an assigned partition that is not decided, at the time of the scrape; 0 when there "
    "is none. Of a paused partition, how long its oldest message has been seen to wait.",
    ("topic", "partition"),
)

# Models and policies

ENGINE_RUNS = CounterSpec(
    "modstream_engine_runs_total", "Runs of a model's graph, by where it ran.", ("graph", "provider")
)
ENGINE_ROWS = CounterSpec(
    "modstream_engine_rows_total",
    "Rows that these runs computed; of the text expert also those that look for evidence in flagged posts.",
    ("graph", "provider"),
)
ENGINE_SECONDS = CounterSpec("modstream_engine_seconds_total", "Time that these runs took.", ("graph", "provider"))
MEDIA_LOOKUPS = CounterSpec(
    "modstream_media_lookups_total",
    "Pictures (stage `ocr`) and sounds (`asr`) looked up, by SHA-256, among those read or heard before: `outcome` is "
    "`hit` or `miss`. A hit costs no model.",
    ("stage", "outcome"),
)
POLICY_ERRORS = CounterSpec(
    "modstream_policy_errors_total",
    "Rules that failed to evaluate on a post; the post is at least reviewed. `role` is `active`, `canary` or `shadow`.",
    ("role", "rule"),
)
POLICY_INFO = GaugeSpec(
    "modstream_policy_info",
    "1 for each policy in use (`name@sha`). `role` is `active`, `canary` or `shadow`.",
    ("policy", "role"),
)
PACK_INFO = GaugeSpec("modstream_pack_info", "1 for each model pack in use (`name@sha`).", ("pack",))
BUILD_INFO = GaugeSpec("modstream_build_info", "1 for the version that runs.", ("version", "python"))

# Beside the live pack and policy

SHADOW_POSTS = CounterSpec(
    "modstream_shadow_posts_total",
    "Posts that came to the shadow: `judged`; `failed`, where no decision came of it; `skipped`, where it was behind "
    "and its queue full; `unsent`, where Kafka did not take its decision. None of it concerns the post.",
    ("outcome",),
)
SHADOW_ACTIONS = CounterSpec(
    "modstream_shadow_actions_total", "Posts by what was decided and what the shadow would have.", ("live", "shadow")
)
SHADOW_FLAGS = CounterSpec(
    "modstream_shadow_flags_total",
    "Flags that one of the two raised and the other did not; `by` is `live` or `shadow`.",
    ("flag", "by"),
)
SHADOW_LABEL_SHIFT = HistogramSpec(
    "modstream_shadow_label_shift",
    "Of each post the largest difference between a label's probability as decided and as the shadow has it.",
    buckets=(0.002, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0),
    why="0.002 is what batches and machines may differ by; from a tenth on, thresholds are passed",
)
SHADOW_SECONDS = HistogramSpec(
    "modstream_shadow_seconds",
    "What a batch of at most 32 posts takes the shadow.",
    buckets=FAST_SECONDS,
    why="the same as the stages' compute time, to be compared with it",
)
SHADOW_STATE = GaugeSpec(
    "modstream_shadow_state",
    "1 for the state that the shadow is in: `running`, or `ended` by a fault of its own. No series without a shadow.",
    ("state",),
)
SHADOW_WAITING = GaugeSpec("modstream_shadow_waiting_records", "Posts in the shadow's queue.")
CANARY_POSTS = CounterSpec(
    "modstream_canary_posts_total",
    "Posts that the canary got at a stage: `judged`, or `taken_back` where it failed and the live pack and policy took "
    "over.",
    ("stage", "outcome"),
)
CANARY_STATE = GaugeSpec(
    "modstream_canary_state",
    "1 for the state that this worker's canary is in: `chosen` for its share of the posts, or `off` because it failed "
    "too often. No series without a canary.",
    ("state",),
)

SECTIONS: dict[str, tuple[Spec, ...]] = {
    "Messages and posts": (
        MESSAGES_CONSUMED,
        POSTS_DECIDED,
        POSTS_DELETED,
        END_TO_END_SECONDS,
        OUTPUTS,
        DECISION_CONFIDENCE,
        MODALITY_CONFIDENCE,
    ),
    "Stages": (
        STAGE_RECORDS,
        BATCH_ITEMS,
        BATCH_COST,
        BATCH_LIMIT_ITEMS,
        BATCH_LIMIT_COST,
        QUEUE_SECONDS,
        PREPARE_SECONDS,
        COMPUTE_SECONDS,
        POISON_ISOLATED,
        RETRIES,
        DEAD_LETTERS,
        MODALITY_FAILURES,
    ),
    "The worker": (
        IN_FLIGHT_RECORDS,
        IN_FLIGHT_BYTES,
        OLDEST_TICKET_AGE,
        READY_STATE,
        PARTITIONS_ASSIGNED,
        PARTITIONS_PAUSED,
        JOURNAL_SUSPECTS,
        BREAKER_STATE,
        BREAKER_PROBES,
    ),
    "Kafka": (
        TRANSACTIONS,
        COMMIT_SECONDS,
        REBALANCES,
        REBALANCE_DRAIN_SECONDS,
        LAG_MESSAGES,
        LAG_SECONDS,
    ),
    "Models and policies": (
        ENGINE_RUNS,
        ENGINE_ROWS,
        ENGINE_SECONDS,
        MEDIA_LOOKUPS,
        POLICY_ERRORS,
        POLICY_INFO,
        PACK_INFO,
        BUILD_INFO,
    ),
    "Shadow and canary": (
        SHADOW_POSTS,
        SHADOW_ACTIONS,
        SHADOW_FLAGS,
        SHADOW_LABEL_SHIFT,
        SHADOW_SECONDS,
        SHADOW_STATE,
        SHADOW_WAITING,
        CANARY_POSTS,
        CANARY_STATE,
    ),
}
"""The catalogue, in the order of its documentation."""

CATALOGUE: tuple[Spec, ...] = tuple(spec for section in SECTIONS.values() for spec in section)
