"""The model card: a pack's manifest and figures as a page for people."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from models_export.packing.head_card import calibration_table, detail_sections, label_tables
from models_export.packing.markdown import cell, percent, table
from models_export.packing.picture_card import picture_sections
from models_export.packing.sound_card import sound_sections
from processors.packs import MANIFEST_FILE, load_pack

Table = Mapping[str, Any]

CARD_FILE = "MODEL_CARD.md"

NEEDED_FIGURES = (
    "abuse_macro_f1",
    "benign_flagged",
    "calibration_error",
    "everyday_flagged",
    "hatecheck",
    "heads",
    "pairs",
    "training",
    "zero_shot_pairs",
)
"""Of the manifest, as `models_export.evaluation.pack_figures` and `models_export.packing.build` measure them."""

WEAKEST = 8
"""HateCheck functionalities that are shown as weaknesses."""

TOO_FEW = " (too few rows to count)"

INTRODUCTION = """\
A small multilingual text classifier for content moderation. It reads one window of text with its language tag and gives
calibrated probabilities for the labels below, and an embedding. It runs on a CPU. It is one witness among several: the
policy decides what its probabilities lead to, and people should see what it is unsure of.
"""

CALIBRATION = """\
Dev is halved by the hash of each row's id. Calibration (a temperature per label, and a bias where that helps) and
thresholds were fitted on one half; **all figures on this page come from the other half** and went through the product's
own packing, graph and rounding. The language of each text was found, not given. Thresholds were chosen for the best
macro-F1 averaged over (language, set) pairs, each of which weighs the same, however many rows it has. There is one
threshold per label for all languages and sets. The sets' shares of abuse are their collectors' choice and not the
world's: on traffic with less abuse, probabilities are too high, and a policy may want higher thresholds.
"""

LIMITS = """\
- The classifier knows what its training sets call abuse; they disagree with each other, and with any community's rules.
- A language that was not measured may read well or badly: the figures of its relatives say little about it.
- Language tags of training were the sets' own. Where the language is found wrongly, scores move a little.
- Irony, quotation, reclaimed slurs, negation and counter-speech are often misread; see the weakest functionalities.
- Identity terms alone can raise scores. The tables of benign text show how much that and other causes amount to.
"""

MISUSE = """\
- Not as the only basis of a decision that affects a person: it is a witness, and people must be able to object.
- Not for judging people, such as employees, pupils, applicants or suspects, by what they wrote.
- Not for law enforcement, surveillance, or the suppression of opinions, of news or of a group's own words about itself.
- Not for labels that it does not assess: no child-safety, self-harm, medical or legal judgement follows from it.
- Not in a language or on a kind of content that you have not measured yourself: your own posts, labelled by your own
  people, say more than this page.
"""

FORMAT = """\
Weights and embeddings are kept as 8-bit integers with a scale per output or piece, and computed with in 32-bit floats:
a post scores the same alone, in any batch and at any padding, and on any processor to about 1e-6.
"""


def card_of(folder: Path) -> str:
    """The page of the pack in `folder`, which is verified. Raises `PackError`, and ValueError as `render_card` does."""
    load_pack(folder)
    return render_card(json.loads((folder / MANIFEST_FILE).read_text(encoding="utf-8")))


def render_card(manifest: Table) -> str:
    """The page, in Markdown: all that it says follows from the manifest.

    Raises ValueError for a manifest without the figures of the text expert.
    """
    figures = manifest.get("figures", {})
    if missing := [name for name in NEEDED_FIGURES if name not in figures]:
        raise ValueError(
            f"{manifest['name']}: figures: no {', '.join(missing)}; expected what `models_export pack` measures"
        )
    pictures = picture_sections(manifest)
    parts = [
        f"# Model card: {manifest['name']}",
        INTRODUCTION,
        *(["Graphs that read and look at pictures are in the pack too: [below](#pictures)."] if pictures else []),
        _summary(manifest, figures),
        "## Labels",
        label_tables(manifest, figures),
        *detail_sections(manifest, figures),
        "## How it was measured",
        CALIBRATION,
        calibration_table(figures),
        "## Abuse, by language and set",
        _pairs(figures["pairs"], counted=True),
        "### Sets that were not trained on",
        "Their licences do not allow training what ships; they show how the classifier carries over.\n",
        _pairs(figures["zero_shot_pairs"], counted=False),
        "## Benign text that is flagged",
        _benign(figures),
        "## HateCheck",
        _hatecheck(figures["hatecheck"]),
        "## Languages",
        _languages(manifest["languages"]),
        *pictures,
        *sound_sections(manifest),
        "## Training",
        _training(manifest),
        "## Format",
        FORMAT,
        _format(manifest, figures),
        "## Limits",
        LIMITS,
        "## What it must not be used for",
        MISUSE,
    ]
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def _summary(manifest: Table, figures: Table) -> str:
    abuse = figures["abuse_macro_f1"]
    suites = figures["hatecheck"]
    rows: list[tuple[str, str]] = [
        ("abuse, macro-F1, English", f"{cell(abuse['english'])} (mean of {abuse['english_sets']} sets)"),
        (
            "abuse, macro-F1, other languages",
            f"{cell(abuse['other_languages'])} (mean of {abuse['other_pairs']} language and set pairs)",
        ),
        ("calibration error, all labels", cell(figures["calibration_error"]["after"])),
    ]
    if "en" in suites:
        rows.append(("HateCheck accuracy, English", cell(suites["en"]["accuracy"])))
    others = [suite["macro_f1"] for lang, suite in suites.items() if lang != "en"]
    if others:
        mean = sum(others) / len(others)
        rows.append(("Multilingual HateCheck macro-F1", f"{cell(mean)} (mean of {len(others)} languages)"))
    counts = Counter(card["status"] for card in manifest["languages"].values())
    rows.append(("languages", f"{counts['measured']} measured, {counts['zero_shot']} zero-shot"))
    return table(("what", "figure"), rows)


def _pairs(pairs: Sequence[Table], *, counted: bool) -> str:
    rows = [
        (
            pair["lang"],
            pair["set"] + (TOO_FEW if counted and not pair["counted"] else ""),
            pair["rows"],
            pair["positives"],
            pair["macro_f1"],
            pair["average_precision"],
            percent(pair["benign_flagged"]),
            percent(pair["abuse_missed"]),
        )
        for pair in pairs
    ]
    return table(("language", "set", "rows", "abusive", "macro-F1", "PR-AUC", "benign flagged", "abuse missed"), rows)


def _benign(figures: Table) -> str:
    """Share of benign text over the threshold of any label."""
    judged, everyday = figures["benign_flagged"], figures["everyday_flagged"]
    rows = [
        (
            lang,
            *_flagged(judged.get(lang, {}).get("trained")),
            *_flagged(judged.get(lang, {}).get("zero_shot")),
            *_flagged(everyday.get(lang)),
        )
        for lang in sorted({*judged, *everyday})
    ]
    text = (
        "Share of text that its annotators called benign and that is over the threshold of any label. In sets that were"
        " collected for abuse, benign text is about the same subjects as the abuse; “everyday” is tweets that nobody"
        " judged, most of which are benign.\n\n"
    )
    head = ("language", "flagged", "of", "flagged, sets not trained on", "of", "flagged, everyday", "of")
    return text + table(head, rows)


def _flagged(found: Table | None) -> tuple[str, int | None]:
    return (percent(found["flagged"]), found["rows"]) if found else ("–", None)


def _hatecheck(suites: Table) -> str:
    if not suites:
        return "Not measured: the suites were not there."
    rows = [
        (
            lang,
            suite["cases"],
            suite["accuracy"],
            suite["macro_f1"],
            percent(suite["hateful_found"]),
            percent(suite["benign_passed"]),
        )
        for lang, suite in suites.items()
    ]
    text = (
        "Functional tests; a case counts as hateful where `hate` is over its threshold. Nothing was chosen on them.\n\n"
    )
    text += table(("language", "cases", "accuracy", "macro-F1", "hateful found", "not hateful passed"), rows)
    if groups := suites.get("en", {}).get("groups"):
        text += "\n\nBy the group that a case is about, in English:\n\n" + table(
            ("group", "cases", "hateful found", "not hateful passed"),
            (
                (name, group["cases"], percent(group["hateful_found"]), percent(group["benign_passed"]))
                for name, group in groups.items()
            ),
        )
    if "en" in suites:
        kinds = suites["en"]["functionalities"]
        weakest = sorted(kinds.items(), key=lambda item: item[1]["accuracy"])[:WEAKEST]
        text += "\n\nWeakest in English: " + ", ".join(
            f"`{name}` ({percent(kind['accuracy'])})" for name, kind in weakest
        )
        text += ".\n\n" + table(
            ("functionality", "gold", "cases", "accuracy"),
            (
                (name, "hateful" if kind["hateful"] else "not", kind["cases"], kind["accuracy"])
                for name, kind in kinds.items()
            ),
        )
    return text


def _languages(cards: Table) -> str:
    measured = [(lang, card["dev"]) for lang, card in cards.items() if card["status"] == "measured"]
    aside = [
        (lang, card["dev"]["zero_shot"])
        for lang, card in cards.items()
        if card["status"] == "zero_shot" and "zero_shot" in card.get("dev", {})
    ]
    unread = [
        (lang, card["dev"]["zero_shot"])
        for lang, card in cards.items()
        if card["status"] == "unsupported" and "zero_shot" in card.get("dev", {})
    ]
    names = [lang for lang, card in cards.items() if card["status"] == "zero_shot"]
    head = ("language", "sets", "rows", "abuse macro-F1")
    parts = ["**Measured** (trained on, both classes on dev):", table(head, map(_language, measured))]
    parts.append(
        f"**Zero-shot**: the backbone was trained on them, no labelled text of theirs was: {', '.join(names)}."
    )
    if aside:
        parts += ["Of these, sets that could not be trained on show:", table(head, map(_language, aside))]
    parts.append(
        "**Unsupported**: every other language. Its posts get the flag `lang.unsupported` and are never approved on"
        " text alone."
    )
    if unread:
        parts += [
            "Among them are languages of the backbone whose labelled text the classifier could not read:",
            table(head, map(_language, unread)),
        ]
    return "\n\n".join(parts)


def _language(found: tuple[str, Table]) -> tuple[Any, ...]:
    lang, figures = found
    return lang, figures["sets"], figures["rows"], figures["abuse_macro_f1"]


def _training(manifest: Table) -> str:
    backbone, training = manifest["backbone"], manifest["training"]
    recipe = training["recipe"]
    text = (
        f"Fine-tuned from {backbone['name']} ({backbone['licence']}) with a vocabulary pruned to"
        f" {recipe['vocabulary']:,} pieces; {manifest['figures']['training']['step']:,} steps of {recipe['batch']}"
        f" samples, seed {training['seed']}. A label gives loss only where a set judges it, and only in sets and"
        " languages in which both classes occur. User names and web addresses are one token each, in training and in"
        " use.\n\n"
    )
    if phases := recipe.get("phases"):
        own = sum(phase["steps"] * phase["functional"] for phase in phases) / sum(phase["steps"] for phase in phases)
        text += (
            f"{percent(own)} of the samples are sentences of our own, drawn from templates in eleven languages:"
            " negation, quotation, counter-speech, identity terms in benign frames, insults at nobody's identity. None"
            " is taken from a diagnostic suite. HateCheck tests the same distinctions, so its figures say more about"
            " these than about posts.\n\n"
        )
    rows = [
        (origin["name"], origin["licence"], origin["rows"], origin.get("url", "–")) for origin in training["datasets"]
    ]
    return text + table(("set", "licence as stated", "rows for training", "source"), rows)


def _format(manifest: Table, figures: Table) -> str:
    fidelity = figures.get("fidelity")
    size = manifest["text"]["graph"]["bytes"] / 1e6
    text = f"Graph: {size:.1f} MB, ONNX, for plain ONNX Runtime."
    if fidelity:
        text += (
            f" Against the 32-bit weights, on {fidelity['texts']:,} texts: probabilities move by"
            f" {fidelity['mean_move']:.4f} on average and {fidelity['max_move']:.3f} at most,"
            f" {percent(fidelity['flips'])} of decisions change."
        )
    return text
