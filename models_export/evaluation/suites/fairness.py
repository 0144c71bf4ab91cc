"""`fairness`: what must not decide. Three questions, each with posts of its own (the group `part`).

`templates`: benign and toxic phrases that differ in whom they name. `fields`: the same phrase with other authors,
regions, platforms. `parallel`: the templates of HateCheck in other languages.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from models_export.evaluation.hatecheck import read_suites
from models_export.evaluation.judgement.figures import Judged, judged, share
from models_export.evaluation.judgement.prediction import Prediction, named
from models_export.evaluation.judgement.suite import Cell, Item, Source, Suite, Table
from models_export.evaluation.labelled_media import SuiteError, evenly
from models_export.evaluation.suites.identity_terms import UNKNOWN, group_of, term_of
from models_export.evaluation.suites.pool import pool_module
from models_export.measures.bootstrap import Estimate, interval, resampled
from schemas import Post

PHRASES = Path("bias_templates_sample.parquet")
COLUMNS = ("id", "lang", "template", "toxic", "phrase")

LABELS = ("abuse", "hate")

TEMPLATES, FIELDS, PARALLEL = "templates", "fields", "parallel"

PLAIN = "plain"
VARIED_PHRASES = 40
"""Phrases that are posted with varied fields: equality is exact or a fault, so that a few show it."""

SMALL_GROUP = 10
"""Benign (or toxic) phrases: the rate of fewer would be mostly chance, and so would a gap to it."""

ENGLISH = "en"


def varied(post: Post) -> Iterator[tuple[str, Post]]:
    """The post as others could have posted it; what it says is the same."""
    yield PLAIN, post
    yield "author", replace(post, author_id="somebody-else", account_type="verified", reach=1_000_000)
    yield "region", replace(post, region="DE")
    yield "platform", replace(post, platform="forum")
    yield "metadata", replace(post, metadata={"client": "web", "followers": 3})


def read(source: Source) -> list[Item]:
    phrases = _phrases(source)
    return [*phrases, *_fields(phrases), *_parallel(source)]


def _phrases(source: Source) -> list[Item]:
    path = source.data / PHRASES
    if not path.is_file():
        raise SuiteError(f"{source.data}: no {PHRASES}; expected the identity templates")
    pandas = pool_module("pandas")
    try:
        table = pandas.read_parquet(path, columns=list(COLUMNS)).sort_values(["lang", "toxic", "id"])
        return [_phrase(row) for row in table.itertuples()]
    except (OSError, TypeError, ValueError) as error:  # pandas' and pyarrow's own are ValueErrors
        what = str(error).partition("\n")[0]
        raise SuiteError(f"{path}: {what}; expected {', '.join(COLUMNS)}, none of them empty") from None


def _phrase(row: Any) -> Item:
    if not all(isinstance(of, str) and of for of in (row.id, row.lang, row.template, row.phrase)):
        raise TypeError(f"row {row.Index}: not all of it is text")
    if row.toxic not in (0, 1):
        raise ValueError(f"row {row.Index}: toxic is {row.toxic!r}, which is neither 0 nor 1")
    term = term_of(row.lang, row.template, row.phrase)
    groups = {"part": TEMPLATES, "lang": row.lang, "group": group_of(row.lang, term) if term else UNKNOWN}
    if term:
        groups |= {"term": term}
    return Item(Post(post_id=row.id, text=row.phrase), groups, dict.fromkeys(LABELS, int(row.toxic)))


def _fields(phrases: Sequence[Item]) -> list[Item]:
    """Of a phrase side by side; they have no truth, as `templates` asks for that."""
    return [
        Item(
            replace(post, post_id=f"{item.post.post_id}+{name}"),
            {"part": FIELDS, "lang": item.groups["lang"], "same": item.post.post_id, "field": name},
            bundle=f"{FIELDS} {item.post.post_id}",
        )
        for item in evenly(phrases, VARIED_PHRASES)
        for name, post in varied(item.post)
    ]


def _parallel(source: Source) -> list[Item]:
    """One case of each template: about those whom the English one is about, so that nothing else differs."""
    suites = {suite.lang: suite for suite in read_suites(source.data)}
    if ENGLISH not in suites:
        return []
    english = suites[ENGLISH]
    about = {
        number: target
        for number, target in zip(reversed(english.template.tolist()), reversed(english.target.tolist()), strict=True)
        if number
    }
    found: list[Item] = []
    for lang, suite in suites.items():
        first: dict[str, int] = {}
        for at, (number, target) in enumerate(zip(suite.template.tolist(), suite.target.tolist(), strict=True)):
            if about.get(number) == target:
                first.setdefault(number, at)
        found += [
            Item(
                Post(post_id=f"parallel:{suite.cases[at].id}", text=suite.cases[at].text),
                {"part": PARALLEL, "lang": lang, "template": number, "hateful": str(int(suite.hateful[at]))},
                bundle=f"{PARALLEL} {number}",
            )
            for number, at in first.items()
        ]
    return found


def own(predictions: Sequence[Prediction]) -> dict[str, Table]:
    parts = named(predictions, "part")
    templates = parts.get(TEMPLATES, [])
    tables: dict[str, Table] = {}
    for label in LABELS:
        if judged(templates, label) is None:
            continue
        tables[f"Gaps between groups of people by language: {label}"] = {
            lang: _gaps(members, label) for lang, members in named(templates, "lang").items()
        }
        tables[f"Rates by group of people: {label}"] = {
            f"{lang}, {name}": _rates(of, label)
            for lang, members in named(templates, "lang").items()
            for name, of in named(members, "group").items()
        }
        tables[f"Terms most often called {label} in benign phrases"] = dict(_worst_terms(templates, label))
    tables["The same text in other fields"] = _moved(parts.get(FIELDS, []))
    tables["Agreement with English over parallel templates"] = _agreement(parts.get(PARALLEL, []))
    return tables


def _rates(predictions: Sequence[Prediction], label: str) -> dict[str, Cell]:
    found = judged(predictions, label)
    benign, toxic = _wrong(found, 0), _wrong(found, 1)
    return {
        "benign": len(benign),
        "false positives": share(int(benign.sum()), len(benign)) if len(benign) else Estimate(),
        "toxic": len(toxic),
        "false negatives": share(int(toxic.sum()), len(toxic)) if len(toxic) else Estimate(),
    }


def _gaps(predictions: Sequence[Prediction], label: str) -> dict[str, Cell]:
    """A language in a row. The gap is that of the highest and the lowest rate; the spread is over the terms."""
    groups = {name: judged(of, label) for name, of in named(predictions, "group").items() if name != UNKNOWN}
    rates = _rates(predictions, label)
    return {
        "false positives": rates["false positives"],
        "gap of false positives": gap([_wrong(of, 0) for of in groups.values()]),
        "spread of false positives": equality_difference(predictions, label, truth=0),
        "false negatives": rates["false negatives"],
        "gap of false negatives": gap([_wrong(of, 1) for of in groups.values()]),
        "spread of false negatives": equality_difference(predictions, label, truth=1),
    }


def _wrong(found: Judged | None, truth: int) -> NDArray[np.bool_]:
    """Of the items of that truth: whether each was judged wrongly."""
    if found is None:
        return np.zeros(0, bool)
    return (found.said != found.truth)[found.truth == bool(truth)]


def gap(groups: Sequence[NDArray[np.bool_]]) -> Estimate:
    """Highest minus lowest rate among the groups that are not small, with its interval by resampling each of them.

    Chance alone makes a gap: with few items the value stands above what many would show.
    """
    large = [of for of in groups if len(of) >= SMALL_GROUP]
    if len(large) < 2:
        return Estimate()
    counts = np.array([[len(of) - of.sum(), of.sum()] for of in large], np.int64)
    value = _gap_of(counts[None])[0]
    return Estimate(float(value), *interval(_gap_of(resampled(counts))))


def _gap_of(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """[..., groups, right and wrong] -> [...]"""
    rates = counts[..., 1] / counts.sum(axis=-1)
    return rates.max(axis=-1) - rates.min(axis=-1)


def equality_difference(predictions: Sequence[Prediction], label: str, *, truth: int) -> float | None:
    """Mean distance of the terms' rates from the rate of all: the equality difference of Dixon et al. 2018, over the
    number of terms. None where there is no term."""
    everything = _wrong(judged(predictions, label), truth)
    terms = [_wrong(judged(of, label), truth) for of in named(predictions, "term").values()]
    rates = [of.mean() for of in terms if len(of)]
    return float(np.mean(np.abs(np.array(rates) - everything.mean()))) if rates else None


WORST_TERMS = 20


def _worst_terms(predictions: Sequence[Prediction], label: str) -> Iterator[tuple[str, Mapping[str, Cell]]]:
    """Those that are called so in benign phrases, the most certain ones first: small counts can do little."""
    found: list[tuple[float, str, int, int]] = []
    for lang, members in named(predictions, "lang").items():
        for term, of in named(members, "term").items():
            wrong = _wrong(judged(of, label), 0)
            if wrong.any():
                least = wrong.mean() - math.sqrt(wrong.mean() * (1 - wrong.mean()) / len(wrong) + 1 / len(wrong) ** 2)
                found.append((-float(least), f"{lang}, {term}", len(wrong), int(wrong.sum())))
    for _, name, benign, wrong in sorted(found)[:WORST_TERMS]:
        yield name, {"benign phrases": benign, "called so": wrong}


def _moved(predictions: Sequence[Prediction]) -> Table:
    """Per field: how many texts got other probabilities with it than without, and by how much at most."""
    plain = {of.groups["same"]: of for of in predictions if of.groups["field"] == PLAIN}
    rows: dict[str, dict[str, Cell]] = {}
    for name, members in named(predictions, "field").items():
        pairs = [(plain[of.groups["same"]], of) for of in members if of.groups["same"] in plain]
        # Two that failed agree in nothing: neither has been judged.
        pairs = [pair for pair in pairs if any(of.error is None for of in pair)]
        if name == PLAIN or not pairs:
            continue
        moves = [moved(one, other) for one, other in pairs]
        rows[name] = {
            "posts": len(pairs),
            "other probabilities": sum(move > 0 for move in moves),
            "largest difference": max(moves),
            "other actions": sum(one.action is not other.action for one, other in pairs),
        }
    return rows


def moved(one: Prediction, other: Prediction) -> float:
    """The largest difference of any probability; 1 where one has a probability that the other lacks."""
    if one.probabilities.keys() != other.probabilities.keys():
        return 1.0
    return max((abs(of - other.probabilities[name]) for name, of in one.probabilities.items()), default=0.0)


def _agreement(predictions: Sequence[Prediction]) -> Table:
    """Per language: the share of templates of which hate is said, or is not, as it is of the English one."""
    english = _by_template(of for of in predictions if of.groups["lang"] == ENGLISH)
    rows: dict[str, dict[str, Cell]] = {}
    for lang, members in named(predictions, "lang").items():
        pairs = [(english[name], of) for name, of in _by_template(members).items() if name in english]
        if lang == ENGLISH or not pairs:
            continue
        agreed = [one.says("hate") == other.says("hate") for one, other in pairs]
        right = [other.says("hate") == (other.groups["hateful"] == "1") for _, other in pairs]
        rows[lang] = {
            "templates": len(pairs),
            "as English": share(sum(agreed), len(pairs)),
            "right": share(sum(right), len(pairs)),
            "English right": share(
                sum(one.says("hate") == (one.groups["hateful"] == "1") for one, _ in pairs), len(pairs)
            ),
            "mean distance": float(np.mean([_distance(one, other) for one, other in pairs])),
        }
    return rows


def _by_template(predictions: Any) -> dict[str, Prediction]:
    return {of.groups["template"]: of for of in predictions if of.says("hate") is not None}


def _distance(one: Prediction, other: Prediction) -> float:
    return abs(one.probabilities["hate"] - other.probabilities["hate"])


SUITE = Suite(
    name="fairness",
    about="Phrases that differ in whom they name (identity templates of five languages; some are ungrammatical, and "
    "what is toxic is so by construction), the same texts from other authors, regions and platforms, and templates of "
    "HateCheck in eleven languages. Figures over all items are of the identity templates.",
    read=read,
    labels=LABELS,
    groups=("lang", "group"),
    core=("part", TEMPLATES),
    own=own,
)
