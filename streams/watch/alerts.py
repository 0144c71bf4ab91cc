"""Alerts. Each is about what users notice, or soon will; docs/runbooks.md says for each what to do.

None fires for what belongs to a normal day: the hours of the day, a restart of every worker, a night of few posts.
"""

from __future__ import annotations

from schemas import Cause, Stage
from streams.metrics import catalogue
from streams.topology import LONG, RETRY_DELAYS_S, STAGES
from streams.watch import recording
from streams.watch.foreign import JOB, UP
from streams.watch.objectives import BURNS, OBJECTIVES, OUR_CAUSES, Burn, Objective
from streams.watch.promql import gauge, increase, is_, is_not, like, or_zero, rate, risen, select, unlike
from streams.watch.rules import Alert, Group

LAG_S = 60
"""A post that waits for a minute is not moderated while most people see it; ordinary lag is under a second."""
LONG_LAG_S = 3_600
"""Of long media: what `worker.long_ticket_age_limit_s` gives a recording."""
EXPECTED_RECORDS = 20
"""A stage that should have had so many records and had none: by Poisson's law once in 5e8 looks by chance."""
EXPECTED_POSTS = 100
"""The same for posts that come in, which have no such law: who sends them may pause."""
OUR_DEAD_LETTERS = 5
"""More than this in a quarter of an hour is a pattern; single poison posts are not."""
INVALID_SHARE = 0.05
INVALID_POSTS = 100
"""A sender that breaks its posts breaks many of them."""
DRIFT_PSI = 0.1
"""By convention below 0.1 nothing has changed, and above 0.25 much has. Chance alone gives about 2 / n, 0.004 for"""
DRIFT_DECISIONS = 500
"""decisions in the last hour, the least number."""
DRIFT_DAY_DECISIONS = 2_000
"""The least number in the day before, or there is nothing to compare with."""
BIAS_Z = 4.0
"""By chance once in 16,000: a hundred groups looked at four times a day (the window) would alert nine times a year."""
BIAS_RATIO = 1.5
"""A difference that is sure may still be small; this is how much more (or less) often it has to be."""
BIAS_POSTS = 200
BIAS_EXPECTED = 10
"""The least number of a group's posts, and of those that would be restricted if it were treated like the whole: below
them, the normal distribution that z goes by is no good picture."""
REBALANCES = 3
"""Times that a worker loses partitions in a quarter of an hour, for half an hour. A rolling restart ends sooner."""
FAILED_TRANSACTIONS = 0.1
"""Of all; a rebalance aborts one now and then."""
LEAST_FAILED_TRANSACTIONS = 5
"""In ten minutes: of a quiet night's few transactions, one or two are soon a tenth."""
STARTUP = "10m"
"""A worker answers once its models are loaded, which the Helm chart's `startupSeconds` gives as long."""
UNSERVED_WINDOW = "30m"
"""In which a topic that gets messages must be read, by whoever hosts its stage."""

_INNER = "|".join(stage.value for stage in (*STAGES[1:],))
_LONG_TOPICS = rf".*\.{LONG.value}"
_RETRY_TOPICS = rf".*retry\.({'|'.join(RETRY_DELAYS_S)})"


def _burn(objective: Objective, burn: Burn) -> str:
    limit = f"{burn.rate:g} * {objective.budget:g}"
    long, short = (recording.errors(objective.name, window).name for window in (burn.long, burn.short))
    return f"({long} > {limit} and {short} > {limit} and {objective.bad(burn.long)} >= {objective.minimum})"


def _burns(objective: Objective, name: str) -> list[Alert]:
    paging = " or ".join(_burn(objective, burn) for burn in BURNS if burn.pages)
    slow = " or ".join(_burn(objective, burn) for burn in BURNS if not burn.pages)
    promise = f"the objective is that {objective.what}"
    return [
        Alert(f"Modstream{name}BurnFast", paging, "2m", "page", f"The error budget is used up in days: {promise}."),
        Alert(
            f"Modstream{name}BurnSlow", slow, "15m", "ticket", f"The error budget does not last the month: {promise}."
        ),
    ]


def _lag() -> str:
    ordinary = gauge("max", catalogue.LAG_SECONDS, ("topic",), topic=unlike(f"{_LONG_TOPICS}|{_RETRY_TOPICS}"))
    long = gauge("max", catalogue.LAG_SECONDS, ("topic",), topic=like(_LONG_TOPICS))
    return f"{ordinary} > {LAG_S} or {long} > {LONG_LAG_S}"


def _stalled() -> str:
    """Messages wait and none is taken. Recordings may take longer than that, and the retry topics wait by design."""
    topics = unlike(f"{_LONG_TOPICS}|{_RETRY_TOPICS}")
    waiting = f"min_over_time({select(recording.LAG_MESSAGES, topic=topics)}[10m]) > 0"
    return f"{waiting} unless on (topic) {increase(catalogue.MESSAGES_CONSUMED, '10m', ('topic',))} > 0"


def _stage_silent() -> str:
    day, ingest = recording.STAGE_RECORDS_DAY_BEFORE, is_(Stage.INGEST.value)
    share = f"{day.name} / on () group_left () {select(day, stage=ingest)}"
    expected = f"{share} * on () group_left () {select(recording.STAGE_RECORDS_15M, stage=ingest)}"
    return f"{expected} > {EXPECTED_RECORDS} unless on (stage) {recording.STAGE_RECORDS_15M.name} > 0"


def _input_silent() -> str:
    ingest = select(recording.STAGE_RECORDS_15M, stage=is_(Stage.INGEST.value))
    return f"{ingest} offset 1d > {EXPECTED_POSTS} unless on (stage) {ingest} > 0"


def _unserved() -> str:
    topics = like(rf".*({_INNER})(\.[a-z]+)?")
    sent = risen(catalogue.OUTPUTS, UNSERVED_WINDOW, ("topic",), topic=topics)
    taken = increase(catalogue.MESSAGES_CONSUMED, UNSERVED_WINDOW, ("topic",))
    # A worker that reads the topic tells its lag also while nothing is taken, as from a lane full of recordings.
    return f"{sent} unless on (topic) {taken} > 0 unless on (topic) {recording.LAG_MESSAGES.name} >= 0"


def _drift() -> str:
    enough = f"sum({recording.DECISIONS_1H.name}) >= {DRIFT_DECISIONS}"
    before = f"sum({recording.DECISIONS_DAY_BEFORE.name}) >= {DRIFT_DAY_DECISIONS}"
    return f"{recording.DRIFT.name} > {DRIFT_PSI} and {enough} and {before}"


def _bias() -> str:
    whole = f"on (dimension, outcome) group_left () {recording.WHOLE_SHARE.name}"
    ratio = f"{recording.GROUP_SHARE.name} / {whole}"
    posts = gauge("sum", recording.GROUP_COUNT, ("dimension", "group"))
    enough = f"on (dimension, group) {posts} >= {BIAS_POSTS}"
    expected = f"({recording.GROUP_SHARE.name} * 0 + {whole}) * on (dimension, group) group_left () {posts}"
    sure = f"abs({recording.GROUP_Z.name}) > {BIAS_Z:g}"
    far = f"({ratio} > {BIAS_RATIO:g} or {ratio} < {1 / BIAS_RATIO:.4g})"
    return f"{ratio} and {sure} and {far} and {enough} and {expected} >= {BIAS_EXPECTED}"


def _invalid() -> str:
    invalid = increase(catalogue.DEAD_LETTERS, "30m", cause=is_(Cause.INVALID_POST.value))
    decided = or_zero(increase(catalogue.POSTS_DECIDED, "30m"))
    return f"{invalid} / ({decided} + {invalid}) > {INVALID_SHARE} and {invalid} > {INVALID_POSTS}"


def _failed_transactions() -> str:
    failed = rate(catalogue.TRANSACTIONS, "10m", outcome=is_not("committed"))
    number = increase(catalogue.TRANSACTIONS, "10m", outcome=is_not("committed"))
    share = f"{failed} / {rate(catalogue.TRANSACTIONS, '10m')}"
    return f"{share} > {FAILED_TRANSACTIONS} and {number} >= {LEAST_FAILED_TRANSACTIONS}"


_READY = is_not("serving")  # a worker that is told to stop is not ready, and is to be

ALERTS: tuple[Alert, ...] = (
    *(alert for objective in OBJECTIVES for alert in _burns(objective, objective.name.capitalize())),
    Alert(
        "ModstreamLag",
        _lag(),
        "5m",
        "page",
        "Posts on {{ $labels.topic }} wait for {{ $value | humanizeDuration }}.",
    ),
    Alert(
        "ModstreamStalled",
        _stalled(),
        "5m",
        "page",
        "{{ $value }} messages wait on {{ $labels.topic }}, and for ten minutes none of them was taken.",
    ),
    Alert(
        "ModstreamStageSilent",
        _stage_silent(),
        "5m",
        "page",
        "The stage {{ $labels.stage }} has finished nothing for a quarter of an hour; by the posts that came in, about "
        "{{ $value | humanize }} records were to be expected.",
    ),
    Alert(
        "ModstreamInputSilent",
        _input_silent(),
        "10m",
        "page",
        "No post has come in for a quarter of an hour; a day ago there were {{ $value | humanize }} in that time.",
    ),
    Alert(
        "ModstreamTopicUnserved",
        _unserved(),
        "10m",
        "page",
        "Messages go to {{ $labels.topic }} and no worker reads it: no running worker has its stage and its lane.",
    ),
    Alert(
        "ModstreamDeadLetters",
        f"{increase(catalogue.DEAD_LETTERS, '15m', ('stage', 'cause'), cause=like('|'.join(OUR_CAUSES)))}"
        f" > {OUR_DEAD_LETTERS}",
        "0m",
        "ticket",
        "{{ $value | humanize }} posts were given up at {{ $labels.stage }} in 15 minutes: {{ $labels.cause }}.",
    ),
    Alert(
        "ModstreamInvalidPosts",
        _invalid(),
        "10m",
        "ticket",
        "{{ $value | humanizePercentage }} of what comes in are no valid posts: a sender has changed something.",
    ),
    Alert(
        "ModstreamDecisionDrift",
        _drift(),
        "30m",
        "ticket",
        "The last hour's decisions are not as those of the day before: stability index {{ $value | printf `%.2f` }}.",
    ),
    Alert(
        "ModstreamBias",
        _bias(),
        "30m",
        "ticket",
        "Posts of the {{ $labels.dimension }} {{ $labels.group }} are {{ $labels.outcome }} {{ $value | humanize }} "
        "times as often as all posts.",
    ),
    Alert(
        "ModstreamBreakerOpen",
        f"{gauge('max', catalogue.BREAKER_STATE, ('instance',), state=is_not('closed'))} > 0",
        "1m",
        "page",
        "The worker {{ $labels.instance }} has paused: too many posts fail by a fault of ours.",
    ),
    Alert(
        "ModstreamNewerVersion",
        f"{gauge('max', catalogue.PARTITIONS_PAUSED, ('instance',), reason=is_('newer_version'))} > 0",
        "15m",
        "ticket",
        "{{ $value }} partitions of {{ $labels.instance }} wait for a newer modstream.",
    ),
    Alert(
        "ModstreamWorkerDown",
        f"{select(UP, job=is_(JOB))} == 0",
        STARTUP,
        "page",
        "The worker {{ $labels.instance }} does not answer.",
    ),
    Alert(
        "ModstreamNoWorkers",
        # Not `up`: insights are in the same job, and would hide that the chain is gone.
        f"absent({select(catalogue.READY_STATE, job=is_(JOB))})",
        "3m",
        "page",
        "Prometheus reaches no worker of the chain at all.",
    ),
    Alert(
        "ModstreamWorkerNotReady",
        f"{gauge('min', catalogue.READY_STATE, ('instance', 'condition'), condition=_READY)} == 0",
        "15m",
        "ticket",
        "The worker {{ $labels.instance }} has not been ready for a quarter of an hour: {{ $labels.condition }}.",
    ),
    Alert(
        "ModstreamRebalanceStorm",
        f"max(sum by (instance) (increase({select(catalogue.REBALANCES, event=like('revoked|lost'))}[15m])))"
        f" > {REBALANCES}",
        "30m",
        "ticket",
        "Workers keep losing their partitions: {{ $value | humanize }} times in a quarter of an hour.",
    ),
    Alert(
        "ModstreamTransactionsFail",
        _failed_transactions(),
        "10m",
        "page",
        "{{ $value | humanizePercentage }} of the transactions do not commit.",
    ),
    Alert(
        "ModstreamCrashSuspects",
        f"{gauge('max', catalogue.JOURNAL_SUSPECTS, ('instance',))} > 0",
        "10m",
        "ticket",
        "{{ $value }} messages were under way when {{ $labels.instance }} died, and now run alone.",
    ),
    Alert(
        "ModstreamPolicyErrors",
        risen(catalogue.POLICY_ERRORS, "15m", ("rule", "role")),
        "0m",
        "ticket",
        "The rule {{ $labels.rule }} of the {{ $labels.role }} policy fails: the posts it fails on are reviewed.",
    ),
)

ALERTING = (Group("modstream-alerts", "30s", ALERTS),)
