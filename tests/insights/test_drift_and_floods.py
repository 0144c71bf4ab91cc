"""PSI, heavy hitters and fingerprints: the formulas, against what is known of them."""

from __future__ import annotations

import math
import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import Media, Post
from streams.insights import Group, Kind, Source, recompute
from streams.insights.drift import BINS, EDGES, SMOOTHING, bin_of, psi
from streams.insights.fingerprints import media_name, normalised, post_names, text_bands
from streams.insights.heavy import add_bounded, at_least
from streams.insights.observe import Message, Observer
from streams.settings import InsightSettings
from tests.counted import FLOOD, message_of
from tests.insights.conftest import INSIGHTS, METRICS

histograms = st.lists(st.integers(0, 1_000), min_size=BINS, max_size=BINS)


def test_psi_of_a_worked_example() -> None:
    # Shares of 0.6 and 0.4 against 0.5 and 0.5, smoothed by half an observation in each bin.
    p, q = (60 + SMOOTHING) / 101, (40 + SMOOTHING) / 101
    assert psi([60, 40], [50, 50]) == pytest.approx((p - 0.5) * math.log(p / 0.5) + (q - 0.5) * math.log(q / 0.5))


@given(window=histograms, reference=histograms)
def test_psi_is_finite_symmetric_and_never_negative(window: list[int], reference: list[int]) -> None:
    found = psi(window, reference)
    assert math.isfinite(found)
    assert found >= -1e-12
    assert found == pytest.approx(psi(reference, window))
    assert psi(window, window) == 0


def test_psi_needs_the_same_bins() -> None:
    with pytest.raises(ValueError, match="expected the same"):
        psi([1], [1, 2])


def test_noise_alone_stays_under_the_threshold_from_the_least_number_of_scores_on() -> None:
    settings, draw = InsightSettings(), random.Random(3)
    least = settings.drift_min_scores

    def sample() -> list[int]:
        counts = Counter(draw.randrange(BINS) for _ in range(least))
        return [counts[at] for at in range(BINS)]

    mean = sum(psi(sample(), sample()) for _ in range(300)) / 300
    assert mean == pytest.approx((BINS - 1) * 2 / least, rel=0.1)  # Yurdakul (2018)
    assert mean < settings.drift_moderate


def test_every_probability_has_a_bin() -> None:
    assert bin_of(0.0) == 0
    assert [bin_of(edge) for edge in EDGES] == list(range(1, BINS))
    assert bin_of(1.0) == BINS - 1


@given(names=st.lists(st.integers(0, 40), max_size=400), capacity=st.integers(2, 12))
def test_no_heavy_hitter_is_missed_and_none_is_exaggerated(names: list[int], capacity: int) -> None:
    counts: dict[str, int] = {}
    errors: dict[str, int] = {}
    for name in names:
        add_bounded(counts, errors, str(name), 1, capacity)
    assert len(counts) <= capacity
    for name, true in Counter(map(str, names)).items():
        if true > len(names) / capacity:
            assert name in counts
        if name in counts:
            assert at_least(counts, errors)[name] <= true <= counts[name]


def shared(one: str, other: str) -> bool:
    return bool(set(text_bands(one)) & set(text_bands(other)))


def test_copies_that_differ_in_what_senders_vary_share_every_band() -> None:
    other = f"  {FLOOD.upper()}!!! @somebody https://example.org/{'x' * 20} 😀 4711"
    assert text_bands(FLOOD) == text_bands(other) != ()


def test_most_copies_with_a_changed_word_share_a_band_and_strangers_share_none() -> None:
    draw = random.Random(5)
    words = ["".join(draw.choices("abcdefghijklmnop", k=7)) for _ in range(600)]
    text = words[:40]
    changed = [" ".join([*text[:at], words[100 + at], *text[at + 1 :]]) for at in range(40)]
    assert sum(shared(" ".join(text), copy) for copy in changed) > 25
    strangers = [" ".join(draw.choices(words, k=40)) for _ in range(40)]
    assert not any(shared(" ".join(text), stranger) for stranger in strangers)


def test_short_texts_and_texts_without_letters_are_not_counted() -> None:
    assert text_bands("good morning") == ()
    assert text_bands("😀" * 500) == ()
    assert normalised("@all 12 https://x.example/abc ") == ""


@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=300))
def test_any_text_has_its_bands_or_none(text: str) -> None:
    assert len(text_bands(text)) in (0, 2)


def test_media_are_known_by_content_or_else_by_address() -> None:
    data = Media(media_id="m", kind="image", data=b"abc")
    sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert media_name(data) == media_name(Media(media_id="n", kind="image", uri=f"store:{sha256}"))
    assert media_name(data) == f"media.{sha256[:24]}"
    there = Media(media_id="m", kind="image", uri="https://example.org/a.jpg")
    assert media_name(there).startswith("address.")
    assert post_names(Post(post_id="p", media=(data, there))) == sorted([media_name(data), media_name(there)])


def test_a_flood_is_told_with_a_post_in_it_and_none_of_its_text() -> None:
    draw = random.Random(1)
    messages = [message_of(Source.POSTS, 0, offset, 5_000, draw) for offset in range(40)]
    floods = [insight for insight in recompute(messages, INSIGHTS, METRICS).values() if insight.kind == "floods"]
    assert floods
    for flood in floods:
        assert set(flood.notable) == set(flood.counts) == set(flood.examples)
        assert min(flood.counts.values()) >= INSIGHTS.flood_posts
    assert "watches" not in str(floods)


def test_unlisted_tenants_and_languages_and_names_that_are_none_of_ours_are_other() -> None:
    draw, observer = random.Random(2), Observer(METRICS)
    groups: set[Group] = set()
    names: set[str] = set()
    for offset in range(200):
        for source in (Source.DECISIONS, Source.FLAGS, Source.DEAD_LETTERS):
            for group, seen in observer.observe(message_of(source, 0, offset, 5_000, draw)):
                groups.add(group)
                names |= seen.counts.keys()
    assert {group.value for group in groups if group.dimension == "tenant"} == {"default", "acme", "other"}
    assert {group.value for group in groups if group.dimension == "language"} == {"en", "de", "other", "none"}
    assert {"flag.other", "cause.other", "stage.other"} <= names
    assert not any("\n" in name or "nowhere" in name for name in names)


def test_a_deleted_post_counts_nowhere() -> None:
    assert Observer(METRICS).observe(Message(Source.DECISIONS, 0, 0, 5_000, None)) == []
    assert {kind.value for kind in Kind} == {"decisions", "confidence", "flags", "dead_letters", "floods"}
