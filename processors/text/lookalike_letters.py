"""Letters that look like Latin ones: a curated table.

Source of the exact ones and of the Cherokee and Lisu letters: `confusables.txt` of Unicode's UTS #39 (Unicode License
v3), of which are kept the letters that people type or paste to disguise Latin text: those on phone keyboards, and those
that "fancy text" pages use. The other letters are taken by habit of use: confusables.txt likens them to Latin small
capitals (к, м, т, в, н), or to nothing (Я for R, ᔕ for S). The table is a choice, not Unicode's whole list, so a new
Unicode version needs no new table.
"""

from __future__ import annotations


def _pairs(letters: str, latin: str) -> dict[str, str]:
    return dict(zip(letters, latin, strict=True))


EXACT_CYRILLIC = _pairs("аеорсухіѕјһԁԛԝѵӏҽАВЕКМНОРСТУХІЅЈԌԜԚѴӀҮ", "aeopcyxisjhdqwvleABEKMHOPCTYXISJGWQVIY")
LOOSE_CYRILLIC = _pairs("кмтвнгпшяёьЯИШЁГ", "kmtbhrnwrebRNWEr")

EXACT_GREEK = _pairs("οΑΒΕΖΗΙΚΜΝΟΡΤΥΧϺϜͿ", "oABEZHIKMNOPTYXMFJ")
LOOSE_GREEK = _pairs("αάβγεέηήιίκμνόρςστυύχωώϳΛΣ", "aabyeenniikuvopcotuuxwwjAE")

ARMENIAN = _pairs("աոսօհցզգքյղլՍՏՕԼԶ", "wnuohgqqpjnlUSOLQ")

CHEROKEE = _pairs("ᎠᎡᎢᎥᎩᎪᎫᎬᎳᎷᎻᎽᏀᏂᏃᏏᏒᏔᏕᏙᏚᏞᏟᏢᏦᏧᏴ", "DRTiYAJEWMHYGhZbRWSVSLCPKdB")

CANADIAN = _pairs("ᗩᗅᗷᑕᗞᗪᖴᕼᒍᒪᗰᑎᑭᖇᔕᑌᐯᗯᕁᘔ", "AABCDDFHJLMNPRSUVWXZ")

LISU = _pairs("ꓮꓐꓚꓓꓰꓝꓖꓧꓲꓙꓗꓡꓟꓠꓳꓑꓣꓢꓔꓴꓦꓪꓫꓬꓜ", "ABCDEFGHIJKLMNOPRSTUVWXYZ")

LATIN_VARIANTS = _pairs("ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢɑɡ", "abcdefghijklmnoprstuvwyzag")
"""Small capitals and their like: Latin by script, of no use in running text (phonetic transcription apart)."""

LATIN_TO_CYRILLIC = _pairs("aeopcyxikmtAEKMHOPCTYXB", "аеорсухікмтАЕКМНОРСТУХВ")
"""The way back, for Cyrillic words disguised with Latin letters."""

EXACT = {**EXACT_CYRILLIC, **EXACT_GREEK, **CANADIAN, **LISU}
"""Lookalikes in any font: a whole word of them in an otherwise Latin text is a disguise."""

ALL = {**EXACT, **LOOSE_CYRILLIC, **LOOSE_GREEK, **ARMENIAN, **CHEROKEE}
"""Lookalikes inside a word that has Latin letters beside them. Armenian and Cherokee stand only here: short words of
theirs, such as ᏣᎳᎩ, may have nothing but lookalikes."""

SCRIPTS = "\u0370-\u03ff\u0400-\u052f\u0530-\u058f\u13a0-\u13ff\u1400-\u167f\ua4d0-\ua4ff\uab70-\uabbf\u1c80-\u1c8f"
"""Where the letters of ALL live, as the body of a character class."""
