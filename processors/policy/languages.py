"""The language codes that a policy may name."""

from __future__ import annotations

UNDETERMINED = "und"
"""ISO 639's own code for a language that was not found out."""

_ISO_639_1 = """
aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz ee el en eo
es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is it iu ja jv ka kg
ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn
no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg sh si sk sl sm sn so sq sr ss st su sv sw
ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu
"""

# Languages without a two-letter code that fastText's lid.176 tells apart: no other three-letter code can reach a post.
_THREE_LETTERS = """
als arz ast azb bar bcl bpy bxr cbk ceb ckb diq dsb dty eml fil frr gom gsw hif hsb ilo jbo krc lez lmo lrc mai mhr
min mrj mwl myv mzn nah nap nds new pam pfl pms pnb rue sah scn sco tyv vec vep vls war wuu xal xmf yue
"""

LANGUAGES = frozenset(_ISO_639_1.split()) | frozenset(_THREE_LETTERS.split()) | {UNDETERMINED}

EXPECTED_LANGUAGE = "a lower-case ISO 639-1 code such as en or de (three letters only where there are no two: ceb, yue)"
"""What a message about a wrong code says."""


def primary_language(code: str) -> str:
    """`pt-BR` -> `pt`: policies speak of languages, not of their variants."""
    return code.replace("_", "-").partition("-")[0].lower()
