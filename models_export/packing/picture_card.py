"""The model card's sections on the parts of a pack that are about pictures."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from models_export.packing.markdown import cell, figure_tables, percent, table

Part = Mapping[str, Any]

READ = """\
The lines in a picture are found, then read. What was read is scored by the text expert, on its own and together with
the post's other text. A line that was found and could not be read makes the reading `unsafe`, and a person sees the
post.
"""

NO_SCRIPT_EXPERT = """\
Nothing in this pack tells the script of a line: one in a script that the recogniser lacks may be read as letters that
it knows, if it is sure enough of them.
"""

SCRIPT = """\
A small classifier tells the script of each line, so that the recogniser is never believed on letters that it does not
know. It knows the scripts below and no others; `Zyyy` stands for digits and punctuation alone, `Zxxx` for what is no
writing.
"""

HELD_OUT = """\
Held out are drawn lines, with fonts and texts that training has not seen: pictures that people make are harder. “Found”
is the share of a script's lines that were given their script, “refused” the share that is not read because of it,
rightly or wrongly; “taken for” says what the others were given most.
"""

FUSION = """\
In posts with pictures that have something to read, the labels below are judged by a graph of their own, from the pooled
features of the other experts. What it is not shown (`tokens` names what it is), it cannot take back. Any other label is
the highest of its experts' scores. The graph was trained with this pack's text expert and holds for no other:
`models_export pack` leaves it out when the text expert changes, and it must be trained again.
"""

SWITCH_OFF = """\
To do without it, take `fusion` and its file out of the pack and write this card anew (`python -m models_export card
--pack DIR`): then every label is the highest of its experts' scores.
"""

RECIPE = "recipe"
"""Of a part's figures: how it was trained, which is for those who read the manifest."""

_PERMISSIVE = re.compile(r"(dataset )?(MIT|Apache|BSD|CC0|CC[ -]BY(?!.*[ -](NC|ND)\b))", re.IGNORECASE)
"""Licences as stated that allow commercial use of what was made with the data."""


def picture_sections(manifest: Part) -> list[str]:
    """Blocks of Markdown; none for a pack that reads text alone."""
    ocr, image, fusion = (manifest.get(name) for name in ("ocr", "image", "fusion"))
    if not (ocr or image or fusion):
        return []
    blocks = ["## Pictures", _graphs(ocr, image)]
    if ocr:
        blocks += ["### What is written in them", *_reading(ocr)]
    if image:
        blocks += ["### What they show", *_image(image)]
    if fusion:
        blocks += ["### Words and pictures together", *_fusion(fusion)]
    return blocks


def _graphs(ocr: Part | None, image: Part | None) -> str:
    parts: list[tuple[str, Part, list[Part]]] = []
    if ocr:
        parts.append(("detection and recognition", ocr["origin"], [ocr["detection"], ocr["recognition"]]))
        if script := ocr.get("script"):
            parts.append(("script expert", script["origin"], [script]))
    if image:
        parts.append(("image expert", image["origin"], [image]))
    rows = [
        (
            name,
            _named(origin),
            origin["licence"],
            f"{sum(graph['graph']['bytes'] for graph in graphs) / 1e6:.1f}",
            origin.get("url"),
        )
        for name, origin, graphs in parts
    ]
    lacking = [] if ocr else ["What is written in pictures cannot be read."]
    lacking += [] if image else ["What pictures show is judged by nothing but what is written in them."]
    stated = "Graphs of others have their licences and notices beside them (`LICENSE…`, `NOTICE…`)."
    return "\n\n".join([table(("graphs", "origin", "licence", "MB", "source"), rows), stated, *lacking])


def _named(origin: Part) -> str:
    more = [origin[name] for name in ("revision", "citation") if origin.get(name)]
    return "; ".join([origin["name"], *more])


def _reading(part: Part) -> Iterator[str]:
    yield READ
    yield f"Scripts that are read (ISO 15924): {', '.join(part['reads'])}."
    yield from _measured(part)
    script = part.get("script")
    if not script:
        yield NO_SCRIPT_EXPERT
        return
    yield "### Scripts told apart"
    yield SCRIPT
    yield (
        f"Scripts: {', '.join(script['scripts'])}. A line is not read where those that the recogniser lacks together"
        f" have a probability of at least {cell(script['threshold'])}."
    )
    yield from _measured(script)
    if "held_out" in script.get("figures", {}):
        yield HELD_OUT


def _image(part: Part) -> Iterator[str]:
    """What the expert knows, and what it says of pictures that should score low."""
    side = part["input"]["size"]
    yield (
        f"The image expert sees {side} × {side} pixels of each picture, and gives the labels below and"
        f" {part['features_size']:,} features."
    )
    for label, card in part["labels"].items():
        threshold = part["thresholds"].get(label)
        at = "not assessed" if threshold is None else f"threshold {cell(threshold)}"
        yield f"- `{label}` ({at}): {card.get('note', '–')}"
        yield from _benign(card.get("dev", {}).get("negatives", {}))
    if part.get("training"):
        yield "Its heads were trained on:"
        yield _origins(part["training"])
    # A part may have nothing to add to what its labels' cards say.
    if part.get("figures"):
        yield from _measured(part)


def _benign(negatives: Part) -> Iterator[str]:
    if negatives:
        thresholds = list(next(iter(negatives.values()))["over"])
        rows = [
            (name, found["pictures"], *(percent(found["over"][at] / found["pictures"]) for at in thresholds))
            for name, found in negatives.items()
        ]
        head = ("collected for other reasons, so mostly false", "pictures", *(f"over {at}" for at in thresholds))
        yield table(head, rows)


def _fusion(part: Part) -> Iterator[str]:
    yield FUSION
    yield f"Licence: {part['licence']}. It is shown: {', '.join(part['tokens'])}."
    for label, card in part["labels"].items():
        yield f"- `{label}` ({card['status'].replace('_', ' ')}): {card.get('note', '–')}"
    yield from _measured(part)
    yield "It was trained on:"
    yield _origins(part["training"])
    if closed := [origin["name"] for origin in part["training"] if not allows_commercial_use(origin["licence"])]:
        yield (
            f"**Research data**: what is stated of {', '.join(closed)} does not allow commercial use. None of their"
            " rows is in the pack, only the weights that were trained on them."
        )
    yield SWITCH_OFF


def allows_commercial_use(licence: str) -> bool:
    """Whether a licence, as stated, is one of those that a pack that ships may be trained under."""
    return _PERMISSIVE.match(licence) is not None


def _origins(origins: Iterable[Part]) -> str:
    rows = [(origin["name"], origin["licence"], origin.get("rows"), origin.get("url")) for origin in origins]
    return table(("set", "licence as stated", "rows", "source"), rows)


def _measured(part: Part) -> Iterator[str]:
    shown = {name: value for name, value in part.get("figures", {}).items() if name != RECIPE}
    if shown:
        yield from figure_tables(shown)
    else:
        yield "The pack has no figures on this."
