"""Where in a post the text expert found what it found.

Asked of posts over a threshold only, about the window that is furthest over it, in two steps of one engine call each
for all posts of a batch:

1. Every word alone, against a window with no text. A word is proposed by the log-odds that it adds. What a word alone
   gives is remembered, so that after some thousand posts few rows are new.
2. Where the window has several sentences, lines or segments, those whose words tell most are left out one at a time.
   The one without which the log-odds fall furthest is where the words are shown.

Words alone agree better with what people marked than words left out do, at a fraction of the rows: a slur that stands
twice is missed by leaving one out (average precision on flagged rows: 0.83 for 0.80 on HateXplain, 0.58 for 0.44 on
Toxic Spans; 119 tokens for 936, and 151 for 1,652). Leaving out the three words that are proposed first gains 0.02 and
0.03 more, and costs three times the window: it is a setting.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from processors.encode.occlusion import Row, alone, nothing, without
from processors.encode.stretches import Stretch, cut_into_words
from processors.lru import Lru
from processors.packs import Pack
from processors.packs.calibration import DECIMALS, Calibration
from schemas import Attribution, FieldName, Record, Window

KEPT_SHARE = 0.5
"""Of the strongest stretch's weight: what has less is not shown. Between 0.3 and 0.7 the agreement with people hardly
changes (F1 0.64 to 0.69 on HateXplain)."""

TELLING_SHARE = 0.25
"""Of the log-odds that the whole window adds: where no word alone adds as much, the words are harmless one by one, and
the sentence is shown."""

REMEMBERED_ROWS = 65_536
"""Words, some 25 MB: 5,000 flagged posts in English bring 19,000 different ones, and in 25 languages over 33,000. By
then a new post brings 17 tokens of unknown words in English, and 36 in all, of 100 that all its words take."""

REMEMBERED_TOKENS = 16
"""Of a row at most: words come again, what somebody typed without a blank does not. It bounds the memory too."""

_LEAST = 1e-9
"""Probabilities are kept this far from 0 and 1 before their log-odds are taken."""

Run = Callable[[Sequence[Row]], NDArray[np.float32]]
"""Rows -> logits [rows, heads]; what a row gives does not depend on the others."""

Thresholds = Callable[[Record], Mapping[str, float]]
"""Label -> the probability over which a post is looked into."""

Odds = NDArray[np.float64]
"""Calibrated log-odds, shape [labels], of DECIMALS decimals: the last bits of a device's arithmetic, which may
differ from batch to batch, decide nothing."""


@dataclass(frozen=True, slots=True)
class AttributionOptions:
    """What a flagged post may cost beside its windows."""

    rows: int = 2
    """Most sentences, lines and segments of a post that are left out one at a time; 0: nothing is attributed at all."""
    word_rows: int = 0
    """Most words of a post that are left out one at a time."""


@dataclass(frozen=True, slots=True)
class _Suspect:
    """A post's worst window, and what it can be cut into."""

    window: Window
    odds: Odds
    over: tuple[int, ...]
    """The labels over their thresholds, the furthest first."""
    stretches: tuple[Stretch, ...]
    words: tuple[tuple[Stretch, ...], ...]
    """Of each stretch."""


@dataclass(frozen=True, slots=True)
class _Told:
    """What the words of a suspect add to a window without text."""

    empty: Odds
    """Of the window without text itself."""
    gains: tuple[NDArray[np.float64], ...]
    """Of the words of each stretch, shape [words, labels]."""


class Attributor:
    """Safe to call from several threads."""

    def __init__(
        self,
        pack: Pack,
        options: AttributionOptions,
        thresholds: Thresholds | None = None,
        *,
        remembered: int = REMEMBERED_ROWS,
    ) -> None:
        """`thresholds`: those in effect for a post; by default the pack's own."""
        self._calibration = Calibration(pack)
        self._labels = self._calibration.heads
        self._options = options
        self._thresholds: Thresholds = thresholds if thresholds is not None else _constant(pack.thresholds)
        self._remembered: Lru[bytes, Odds] = Lru(remembered)

    def attribute(
        self, records: Sequence[Record], logits: Sequence[NDArray[np.float32]], run: Run
    ) -> list[tuple[Attribution, ...]]:
        """For each record, with the logits [windows, heads] of its windows, what its probabilities rest on.

        Nothing for a post that is over no threshold. Raises what `run` raises.
        """
        suspects = [self._suspect(record, found) for record, found in zip(records, logits, strict=True)]
        asked = [suspect for suspect in suspects if suspect is not None]
        if not asked:
            return [()] * len(records)
        word_rows = [list(_word_rows(suspect)) for suspect in asked]
        odds = iter(self._run([row for rows in word_rows for row in rows], run, remember=True))
        told = [_told(suspect, odds) for suspect in asked]
        left_out = [self._left_out(suspect, of) for suspect, of in zip(asked, told, strict=True)]
        missed = iter(
            self._run(
                [
                    without(suspect.window, stretch)
                    for suspect, tried in zip(asked, left_out, strict=True)
                    for stretch in tried
                ],
                run,
            )
        )
        found = iter(
            [
                self._attributions(suspect, of, {out: _difference(suspect.odds, next(missed)) for out in tried})
                for suspect, of, tried in zip(asked, told, left_out, strict=True)
            ]
        )
        return [next(found) if suspect is not None else () for suspect in suspects]

    def _suspect(self, record: Record, logits: NDArray[np.float32]) -> _Suspect | None:
        if record.pack is None or not len(logits) or not np.isfinite(logits).all():
            return None
        thresholds = self._thresholds(record)
        odds = _log_odds(exact := self._calibration.exact(logits)).round(DECIMALS)
        at = np.array([thresholds.get(label, 1.0) for label in self._labels])
        # As the policy sees it: rounded, so that the last bits decide nothing.
        over = exact.round(DECIMALS) > at
        margins = np.where(over, odds - _log_odds(at), -np.inf)
        for row, window in enumerate(record.pack.windows):
            if window.places is None:
                margins[row] = -np.inf
        worst = int(margins.max(axis=1, initial=-np.inf).argmax())
        flagged = sorted(np.flatnonzero(np.isfinite(margins[worst])).tolist(), key=lambda label: -margins[worst, label])
        if not flagged:
            return None
        window = record.pack.windows[worst]
        cut = [(stretch, tuple(words)) for stretch, words in cut_into_words(record, window) if words]
        if not cut:
            return None
        stretches, words = zip(*cut, strict=True)
        return _Suspect(window, odds[worst], tuple(flagged), stretches, words)

    def _run(self, rows: Sequence[Row], run: Run, *, remember: bool = False) -> list[Odds]:
        """Each row's log-odds; equal rows are run once, and remembered ones not at all."""
        keys = [row.tobytes() for row in rows]
        found, new = dict[bytes, Odds](), dict[bytes, Row]()
        for key, row in zip(keys, rows, strict=True):
            known = self._remembered.get(key) if remember and key not in found else None
            if known is not None:
                found[key] = known
            elif key not in found:
                new[key] = row
        if new:
            odds = _log_odds(self._calibration.exact(run(list(new.values())))).round(DECIMALS)
            for (key, row), values in zip(new.items(), odds, strict=True):
                found[key] = values
                if remember and len(row) <= REMEMBERED_TOKENS and np.isfinite(values).all():
                    self._remembered.put(key, values.copy())
        return [found[key] for key in keys]

    def _left_out(self, suspect: _Suspect, told: _Told) -> list[Stretch]:
        """The stretches, and the words, that are left out one at a time: those proposed first."""
        label = suspect.over[0]
        gains = [of[:, label].tolist() for of in told.gains]
        several = len(suspect.stretches) > 1
        tried = _first(suspect.stretches, [max(of) for of in gains], self._options.rows) if several else []
        flat = [word for words in suspect.words for word in words]
        return [*tried, *_first(flat, [gain for of in gains for gain in of], self._options.word_rows)]

    def _attributions(self, suspect: _Suspect, told: _Told, drops: Mapping[Stretch, Odds]) -> tuple[Attribution, ...]:
        found: list[Attribution] = []
        for label in suspect.over:
            weights = _weights(suspect, told, drops, label)
            least = KEPT_SHARE * max((weight for _, weight in weights), default=0.0)
            found += [
                Attribution(field, start, end, self._labels[label], round(weight, DECIMALS))
                for field, start, end, weight in _joined([shown for shown in weights if shown[1] >= least])
                if round(weight, DECIMALS) > 0
            ]
        return tuple(found)


def _constant(thresholds: Mapping[str, float]) -> Thresholds:
    def of_any(_: Record) -> Mapping[str, float]:
        return thresholds

    return of_any


def _weights(suspect: _Suspect, told: _Told, drops: Mapping[Stretch, Odds], label: int) -> list[tuple[Stretch, float]]:
    """What each word, or stretch, adds to a label; above 0 and in reading order."""
    fallen = {stretch: float(drops[stretch][label]) for stretch in suspect.stretches if stretch in drops}
    deepest = max(fallen.values(), default=0.0)
    enough = TELLING_SHARE * float(suspect.odds[label] - told.empty[label])
    confirmed = any(word in drops for words in suspect.words for word in words if word not in fallen)
    weights: list[tuple[Stretch, float]] = []
    for stretch, words, of_words in zip(suspect.stretches, suspect.words, told.gains, strict=True):
        # Where leaving one out changes nothing, others say the same: then the words of all count.
        if deepest > 0 and fallen.get(stretch, 0.0) < KEPT_SHARE * deepest:
            continue
        gains = list(zip(words, of_words[:, label].tolist(), strict=True))
        strongest = max(gain for _, gain in gains)
        if strongest > 0 and strongest >= enough:
            if confirmed:
                gains = [(word, (gain + float(drops[word][label])) / 2) for word, gain in gains if word in drops]
            weights += [(word, gain) for word, gain in gains if gain > 0]
        elif fallen.get(stretch, 0.0) > 0:
            weights.append((stretch, fallen[stretch]))
    return weights


def _difference(more: Odds, less: Odds) -> Odds:
    """0 where a row gave no number: it tells nothing."""
    return np.nan_to_num(more - less, nan=0.0)


def _word_rows(suspect: _Suspect) -> Iterator[Row]:
    """Of each stretch the window without text, then its words alone. At most five tokens for each of the window's."""
    for stretch, words in zip(suspect.stretches, suspect.words, strict=True):
        yield nothing(suspect.window, stretch)
        for word in words:
            yield alone(suspect.window, word)


def _told(suspect: _Suspect, odds: Iterator[Odds]) -> _Told:
    """`odds`: those of its word rows come next."""
    empty: list[Odds] = []
    gains: list[NDArray[np.float64]] = []
    for words in suspect.words:
        empty.append(next(odds))
        gains.append(_difference(np.stack([next(odds) for _ in words]), empty[-1]))
    return _Told(empty[0], tuple(gains))


def _first(stretches: Sequence[Stretch], weights: Sequence[float], most: int) -> list[Stretch]:
    """The `most` with the highest weights, of equals the first ones."""
    order = sorted(range(len(stretches)), key=lambda at: (-weights[at], at))
    return [stretches[at] for at in order[:most]]


def _joined(shown: Sequence[tuple[Stretch, float]]) -> list[tuple[FieldName, int, int, float]]:
    """(field, start, end, weight): words that stand side by side become one stretch, with the highest weight."""
    found: list[tuple[FieldName, int, int, float]] = []
    last = -1
    for stretch, weight in shown:
        if found and found[-1][0] == stretch.field and stretch.tokens[0] == last + 1:
            field, start, end, before = found.pop()
            found.append((field, start, max(end, stretch.end), max(before, weight)))
        else:
            found.append((stretch.field, stretch.start, stretch.end, weight))
        last = stretch.tokens[-1]
    return found


def _log_odds(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    kept = np.clip(probabilities, _LEAST, 1.0 - _LEAST)
    return np.log(kept / (1.0 - kept))
