"""Whether the pack can read the language of a post."""

from __future__ import annotations

from processors.pack.layout import UNKNOWN_LANGUAGE
from processors.packs import Pack

MAX_UNTOLD_LETTERS = 32
"""Letters and digits up to which a text whose language was not found is merely too short to tell. Emoji, names, "ok
lol" and the like are everyday traffic; half a line of words that resemble no known language is not."""


def can_read(pack: Pack, lang: str, letters: float) -> bool:
    """Whether the pack's scores mean something for a text of `letters` letters in `lang`.

    They do in a language that the pack's manifest calls measured or zero-shot. A text whose language was not found is
    too short to tell, and treated as zero-shot, or too long for that excuse: then nobody knows whether it can be read,
    and it counts as unsupported. Letters that the vocabulary lacks make the text `partial` in any case, however few.
    """
    if lang == UNKNOWN_LANGUAGE:
        return letters <= MAX_UNTOLD_LETTERS
    return pack.language_status(lang) != "unsupported"
