"""The model card's section on the part of a pack that is about sounds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from models_export.packing.markdown import figure_tables, table

HEARING = """\
Speech is found (Silero voice activity detection, which comes with faster-whisper), then written down by Whisper. What
was heard is scored by the text expert, on its own and together with the post's other text. What repeats itself, is
improbable or is still heard when the speech is silenced is `unsafe`: it is not scored, and a person sees the post.
"""

WEIGHTS = """\
The weights are not in the pack's folder: they are installed with the Python packages below, joined in memory, and
compared with the manifest's SHA-256 before they are used.
"""


def sound_sections(manifest: Mapping[str, Any]) -> list[str]:
    """Blocks of Markdown; none for a pack that does not hear."""
    part = manifest.get("asr")
    if not part:
        return []
    origin = part["origin"]
    rows = [
        (file["name"], f"{file['bytes'] / 1e6:.1f}", ", ".join(f"`{piece['requirement']}`" for piece in file["pieces"]))
        for file in part["weights"]
    ]
    windows = " or ".join(f"{seconds} s" for seconds in sorted(part["windows_s"]))
    blocks = [
        "## Sounds",
        HEARING,
        f"{origin['name']} ({origin['licence']}; {origin.get('revision', 'no revision stated')}), {origin.get('url')}."
        f" It hears windows of {windows}.",
        WEIGHTS,
        table(("file", "MB", "from"), rows),
    ]
    figures = part.get("figures", {})
    return [*blocks, *(figure_tables(figures) if figures else ["The pack has no figures on this."])]
