"""What a suite of judgement is, and how to add one.

A suite is a module `models_export.evaluation.suites.<name>` with a constant `SUITE: Suite`, and a line in
`models_export.evaluation.suites.SUITES`. It says how its items are read from the data folder, and what the report is to
show; the framework puts the items through the chain, measures, compares and draws. All figures come from predictions,
so `own` sees nothing else: what it needs of an item belongs into the item's groups.

    SUITE = Suite(
        name="greetings",
        about="Polite posts of three languages: none of them is hate.",
        read=lambda source: [Item(post=Post(post_id="1", text="…"), groups={"lang": "en"}, truth={"hate": 0})],
        labels=("hate",),
        groups=("lang",),
    )
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from models_export.evaluation.judgement.prediction import Prediction
from models_export.evaluation.labelled_media import evenly
from models_export.measures.bootstrap import Estimate
from processors.packs import Pack
from schemas import Post

Cell = Estimate | float | int | str | None
Table = Mapping[str, Mapping[str, Cell]]
"""Row -> column -> cell; all rows have the same columns."""


@dataclass(frozen=True, slots=True)
class Item:
    """A labelled post. Its `post_id` is its name in the predictions and must be the same in every run. Where some posts
    of a suite have media, all go through fetch, ocr and asr as well; files are named by `file://` addresses below the
    data folder, and the tenant is `labelled_media.TENANT`."""

    post: Post
    groups: Mapping[str, str] = field(default_factory=dict[str, str])
    truth: Mapping[str, int] = field(default_factory=dict[str, int])
    without: frozenset[str] = frozenset()
    """What the chain is to judge it without, though it has it: of `ocr`, `speech`, `image`, `fusion`."""
    transcripts: Mapping[str, str] = field(default_factory=dict[str, str])
    """`ocr`, `speech` -> all that is written or said in it, where how well it is read is to be measured."""
    bundle: str | None = None
    """Items of one bundle mean something beside each other only, such as a text and what was made of it: a smaller run
    has all of them or none."""


def smaller(items: Sequence[Item], limit: int | None) -> tuple[Item, ...]:
    """About `limit` of them, evenly spread over the suite, with bundles whole: more than `limit` only if the first
    bundle alone is."""
    if limit is None or limit >= len(items):
        return tuple(items)
    bundles: dict[str, list[Item]] = {}
    for at, item in enumerate(items):
        bundles.setdefault(f"alone {at}" if item.bundle is None else f"bundle {item.bundle}", []).append(item)
    apart = list(bundles.values())
    for count in range(min(limit, len(apart)), 1, -1):
        chosen = evenly(apart, count)
        if sum(map(len, chosen)) <= limit:
            return tuple(chain.from_iterable(chosen))
    return tuple(apart[0])


@dataclass(frozen=True, slots=True)
class Source:
    """What a suite may read its items from."""

    data: Path
    """The folder of `--data`."""
    pack: Pack
    """The pack that is measured: what it was trained on may decide what is fair to ask."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a baseline says of an item."""

    probabilities: Mapping[str, float]
    """With three decimals at most."""
    thresholds: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Average:
    """A macro-F1 that is the mean over groups, so that large ones do not decide for all.

    It is over the items whose group `among` is `value`, or all that have a group `over`; each of their groups `over` in
    which the label has both classes counts the same.
    """

    name: str
    label: str
    over: str
    among: str | None = None
    value: str | None = None


def _nothing(_: Sequence[Prediction]) -> Mapping[str, Table]:
    return {}


def _no_files(_: Sequence[Prediction]) -> Mapping[str, bytes]:
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    name: str
    about: str
    """What it asks, in a sentence or two; the report's first paragraph."""
    read: Callable[[Source], Sequence[Item]]
    """All items, those of a kind side by side, so that a smaller run, which is evenly spread, has some of each. Raises
    SuiteError for a folder that lacks them, in one sentence."""
    labels: tuple[str, ...]
    """The labels it is about, the leading one first. Figures over all items are given for every label with a truth."""
    groups: tuple[str, ...] = ()
    """The groups by which `labels` and the actions are shown."""
    core: tuple[str, str] | None = None
    """(group, what it is): the figures over all items are of these alone, such as those that were not tampered with.
    None: of all."""
    together: str | None = None
    """The group whose items are no news beside each other, such as near-duplicates: comparisons draw them together."""
    averages: tuple[Average, ...] = ()
    own: Callable[[Sequence[Prediction]], Mapping[str, Table]] = _nothing
    """Tables of its own, by title."""
    files: Callable[[Sequence[Prediction]], Mapping[str, bytes]] = _no_files
    """Files of its own beside the report, by name."""
    baselines: Callable[[Source, Sequence[Item]], Mapping[str, Sequence[Judgement]]] | None = None
    """What simpler ways would have said of the items, by name."""
