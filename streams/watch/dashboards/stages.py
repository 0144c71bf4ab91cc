"""Where does it hurt? Queues, batches, engines, machines, Kafka."""

from __future__ import annotations

from streams.metrics import catalogue
from streams.metrics.specs import HistogramSpec
from streams.watch import foreign, recording
from streams.watch.legends import QUANTILES, by_labels
from streams.watch.panels import INTERVAL, Dashboard, Panel, Query, Row
from streams.watch.promql import gauge, increase, is_, is_not, mean, quantile, rate, select


def stages() -> Dashboard:
    by_stage = ("stage",)
    return Dashboard(
        "modstream-stages",
        "modstream: stages and machines",
        "Where does it hurt?",
        [
            Row(
                "Stages",
                [
                    Panel(
                        "Throughput",
                        [Query(rate(catalogue.STAGE_RECORDS, INTERVAL, by_stage), "{{stage}}")],
                        "reqps",
                        "Records finished and handed on.",
                    ),
                    _timing("Queue time p95", catalogue.QUEUE_SECONDS, "Of a batch's oldest record: waiting."),
                    _timing("Compute time p95", catalogue.COMPUTE_SECONDS, "Of one engine call: working."),
                    _timing("Prepare time p95", catalogue.PREPARE_SECONDS, "CPU work before the engine call."),
                    Panel(
                        "Time a record takes, by part (mean)",
                        [
                            Query(mean(spec, INTERVAL, by_stage), f"{{{{stage}}}} {part}")
                            for part, spec in (
                                ("queue", catalogue.QUEUE_SECONDS),
                                ("prepare", catalogue.PREPARE_SECONDS),
                                ("compute", catalogue.COMPUTE_SECONDS),
                            )
                        ],
                        "s",
                        "Mostly queue: the stage needs more workers. Mostly compute: a faster engine.",
                    ),
                    Panel(
                        "Busy threads",
                        [
                            Query(
                                f"{_busy(catalogue.COMPUTE_SECONDS)} + {_busy(catalogue.PREPARE_SECONDS)}",
                                "{{stage}}",
                            )
                        ],
                        "short",
                        "Seconds of work a second, over all workers: near their number of lanes, the stage is full.",
                    ),
                ],
            ),
            Row(
                "Batches",
                [
                    Panel(
                        "Batch fill",
                        [Query(recording.BATCH_FILL.name, "{{stage}}")],
                        "percentunit",
                        "The mean batch against its limit, by number or by cost, whichever it is nearer to.",
                    ),
                    Panel(
                        "Mean batch",
                        [
                            Query(mean(catalogue.BATCH_ITEMS, INTERVAL, by_stage), "{{stage}}"),
                            Query(gauge("max", catalogue.BATCH_LIMIT_ITEMS, by_stage), "{{stage}} limit"),
                        ],
                        "short",
                        "Records in an engine call, and the most there may be.",
                    ),
                    Panel(
                        "Mean cost",
                        [
                            Query(mean(catalogue.BATCH_COST, INTERVAL, by_stage), "{{stage}}"),
                            Query(gauge("max", catalogue.BATCH_LIMIT_COST, by_stage), "{{stage}} limit"),
                        ],
                        "short",
                        "Tokens, pixels or windows of sound in an engine call.",
                    ),
                ],
            ),
            Row(
                "Engines",
                [
                    Panel(
                        "Engines' own utilisation",
                        [
                            Query(
                                rate(catalogue.ENGINE_SECONDS, INTERVAL, ("graph", "provider")),
                                by_labels(catalogue.ENGINE_SECONDS, "graph", "provider"),
                            )
                        ],
                        "short",
                        "Seconds of engine calls a second, over all workers; also without a GPU.",
                    ),
                    Panel(
                        "Rows a second of engine time",
                        [
                            Query(
                                f"{rate(catalogue.ENGINE_ROWS, INTERVAL, ('graph',))}"
                                f" / {rate(catalogue.ENGINE_SECONDS, INTERVAL, ('graph',))}",
                                "{{graph}}",
                            ),
                            Query(
                                f"{rate(catalogue.ENGINE_ROWS, INTERVAL, ('graph',))}"
                                f" / {rate(catalogue.ENGINE_RUNS, INTERVAL, ('graph',))}",
                                "{{graph}} rows a run",
                            ),
                        ],
                        "short",
                        "Speed of each graph, and how many rows it gets at a time.",
                    ),
                    Panel(
                        "GPU (DCGM exporter)",
                        [
                            Query(gauge("max", foreign.GPU_UTILISATION, ("instance", "gpu")), "{{instance}} {{gpu}} %"),
                            Query(
                                gauge("max", foreign.GPU_MEMORY_MIB, ("instance", "gpu")),
                                "{{instance}} {{gpu}} MiB",
                            ),
                        ],
                        "short",
                        "Empty unless nodes with NVIDIA GPUs run the DCGM exporter; the engines' own needs neither.",
                    ),
                    Panel(
                        "Media cache",
                        [
                            Query(
                                f"{rate(catalogue.MEDIA_LOOKUPS, INTERVAL, by_stage, outcome=is_('hit'))}"
                                f" / {rate(catalogue.MEDIA_LOOKUPS, INTERVAL, by_stage)}",
                                "{{stage}}",
                            )
                        ],
                        "percentunit",
                        "Share of pictures and sounds that had been read or heard before: no model ran for them.",
                    ),
                    Panel(
                        "CPU",
                        [
                            Query(
                                rate(foreign.CPU_SECONDS, INTERVAL, ("instance",), job=is_(foreign.JOB)), "{{instance}}"
                            )
                        ],
                        "short",
                        "Cores in use by each worker's process; its decoders and readers are children of their own.",
                    ),
                    Panel(
                        "Memory",
                        [
                            Query(
                                gauge("sum", foreign.RESIDENT_BYTES, ("instance",), job=is_(foreign.JOB)),
                                "{{instance}}",
                            )
                        ],
                        "bytes",
                        "Resident, of each worker's process without its children.",
                    ),
                ],
            ),
            Row(
                "Kafka",
                [
                    Panel(
                        "Transactions",
                        [Query(rate(catalogue.TRANSACTIONS, INTERVAL, ("outcome",)), "{{outcome}}")],
                        "reqps",
                        "Nearly all should be committed; a rebalance aborts one now and then.",
                    ),
                    Panel(
                        "Commit time",
                        [Query(quantile(q, catalogue.COMMIT_SECONDS, INTERVAL), f"p{q * 100:g}") for q in QUANTILES],
                        "s",
                        "From a transaction's first output to its end.",
                    ),
                    Panel(
                        "Rebalances",
                        [Query(increase(catalogue.REBALANCES, INTERVAL, ("event",)), "{{event}}")],
                        "short",
                        "Partitions assigned, revoked or lost, over all workers.",
                    ),
                    Panel(
                        "Drain time of rebalances p95",
                        [Query(quantile(0.95, catalogue.REBALANCE_DRAIN_SECONDS, "1h"), "p95")],
                        "s",
                        "To finish and commit what was under way on partitions that were taken away.",
                    ),
                    Panel(
                        "Partitions",
                        [
                            Query(gauge("sum", catalogue.PARTITIONS_ASSIGNED, ("instance",)), "{{instance}}"),
                            Query(
                                gauge("sum", catalogue.PARTITIONS_PAUSED, ("reason",)),
                                "paused: " + by_labels(catalogue.PARTITIONS_PAUSED, "reason"),
                            ),
                        ],
                        "short",
                        "Read by each worker, and paused with the reason.",
                    ),
                    Panel(
                        "Under way",
                        [
                            Query(gauge("sum", catalogue.IN_FLIGHT_RECORDS, ("lane",)), "{{lane}}"),
                            Query(gauge("max", catalogue.OLDEST_TICKET_AGE), "oldest, seconds"),
                        ],
                        "short",
                        "Messages taken and not yet committed, and the age of the oldest.",
                    ),
                    Panel(
                        "Under way, bytes",
                        [Query(gauge("sum", catalogue.IN_FLIGHT_BYTES, ("lane",)), "{{lane}}")],
                        "bytes",
                        "Size of these messages.",
                    ),
                    Panel(
                        "Breaker",
                        [
                            Query(
                                gauge("sum", catalogue.BREAKER_STATE, ("state",), state=is_not("closed")),
                                by_labels(catalogue.BREAKER_STATE, "state"),
                            ),
                            Query(increase(catalogue.BREAKER_PROBES, INTERVAL, ("outcome",)), "probe {{outcome}}"),
                        ],
                        "short",
                        "Workers that have paused after too many failures of ours, and what their probes found.",
                    ),
                    Panel(
                        "Crash journal and poison",
                        [
                            Query(gauge("sum", catalogue.JOURNAL_SUSPECTS), "suspects"),
                            Query(increase(catalogue.POISON_ISOLATED, INTERVAL, by_stage), "poison at {{stage}}"),
                        ],
                        "short",
                        "Messages that were under way when a process died; records whose batch failed because of them.",
                    ),
                ],
            ),
        ],
    )


def _timing(title: str, spec: HistogramSpec, description: str) -> Panel:
    queries = [Query(quantile(0.95, spec, INTERVAL, ("stage",)), by_labels(spec, "stage"))]
    return Panel(title, queries, "s", description)


def _busy(spec: HistogramSpec) -> str:
    return f"sum by (stage) (rate({select(spec, '_sum')}[{INTERVAL}]))"
