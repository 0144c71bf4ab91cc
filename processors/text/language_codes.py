"""Language codes: from what producers and the identification model write to the codes used in records.

A code here is that of ISO 639-1, or of ISO 639-3 for a language without one; romanised text of a language that has a
script of its own keeps its script (`hi-Latn`), since a model reads it differently.
"""

from __future__ import annotations

import re

# ISO 639-1 and 639-3 codes of the languages that have both (source: ISO 639-3 tables).
_BOTH_CODES = (
    "aa:aar ab:abk ae:ave af:afr ak:aka am:amh an:arg ar:ara as:asm av:ava ay:aym az:aze ba:bak be:bel bg:bul"
    " bi:bis bm:bam bn:ben bo:bod br:bre bs:bos ca:cat ce:che ch:cha co:cos cr:cre cs:ces cu:chu cv:chv cy:cym"
    " da:dan de:deu dv:div dz:dzo ee:ewe el:ell en:eng eo:epo es:spa et:est eu:eus fa:fas ff:ful fi:fin fj:fij"
    " fo:fao fr:fra fy:fry ga:gle gd:gla gl:glg gn:grn gu:guj gv:glv ha:hau he:heb hi:hin ho:hmo hr:hrv ht:hat"
    " hu:hun hy:hye hz:her ia:ina id:ind ie:ile ig:ibo ii:iii ik:ipk io:ido is:isl it:ita iu:iku ja:jpn jv:jav"
    " ka:kat kg:kon ki:kik kj:kua kk:kaz kl:kal km:khm kn:kan ko:kor kr:kau ks:kas ku:kur kv:kom kw:cor ky:kir"
    " la:lat lb:ltz lg:lug li:lim ln:lin lo:lao lt:lit lu:lub lv:lav mg:mlg mh:mah mi:mri mk:mkd ml:mal mn:mon"
    " mr:mar ms:msa mt:mlt my:mya na:nau nd:nde ne:nep ng:ndo nl:nld no:nor nr:nbl nv:nav ny:nya oc:oci oj:oji"
    " om:orm or:ori os:oss pa:pan pi:pli pl:pol ps:pus pt:por qu:que rm:roh rn:run ro:ron ru:rus rw:kin sa:san"
    " sc:srd sd:snd se:sme sg:sag si:sin sk:slk sl:slv sm:smo sn:sna so:som sq:sqi sr:srp ss:ssw st:sot su:sun"
    " sv:swe sw:swa ta:tam te:tel tg:tgk th:tha ti:tir tk:tuk tl:tgl tn:tsn to:ton tr:tur ts:tso tt:tat tw:twi"
    " ty:tah ug:uig uk:ukr ur:urd uz:uzb ve:ven vi:vie vo:vol wa:wln wo:wol xh:xho yi:yid yo:yor za:zha zh:zho"
    " zu:zul"
)

_THREE_TO_TWO = {three: two for two, three in (pair.split(":") for pair in _BOTH_CODES.split())}
_TWO = frozenset(_THREE_TO_TWO.values())

_ALIASES = {
    # old codes, bibliographic codes of ISO 639-2
    "in": "id", "iw": "he", "ji": "yi", "jw": "jv", "mo": "ro", "sh": "sr", "hbs": "sr",
    "alb": "sq", "arm": "hy", "baq": "eu", "bur": "my", "chi": "zh", "cze": "cs", "dut": "nl", "fre": "fr",
    "geo": "ka", "ger": "de", "gre": "el", "ice": "is", "mac": "mk", "mao": "mi", "may": "ms", "per": "fa",
    "rum": "ro", "slo": "sk", "tib": "bo", "wel": "cy",
    # varieties that are read as the language they belong to
    "nb": "no", "nn": "no", "nob": "no", "nno": "no", "fil": "tl",
    "arb": "ar", "arz": "ar", "ary": "ar", "apc": "ar", "acm": "ar", "azb": "az", "ckb": "ku", "pes": "fa",
    "pnb": "pa", "cmn": "zh", "yue": "zh", "wuu": "zh", "nan": "zh", "hak": "zh", "bar": "de", "gsw": "de",
}  # fmt: skip

_OTHER_SCRIPTS = (
    "am ar as be bg bn bo dv dz el fa gu he hi hy ja ka km kn ko lo mk ml mn mr my ne or pa ps ru sa sd si ta te tg th"
    " ti ug uk ur yi zh"
)
_NOT_LATIN = frozenset(_OTHER_SCRIPTS.split())
"""Languages that are not written in Latin letters, as a rule."""

_SPECIAL = frozenset({"und", "zxx", "mul", "mis"})
"""Codes that name no language."""

# BCP 47, less grandfathered and private tags: language, extended language, script, region, and whatever follows.
_TAG = re.compile(
    r"(?P<language>[a-z]{2,3})(?:-[a-z]{3}){0,3}(?:-(?P<script>[a-z]{4}))?(?:-(?:[a-z]{2}|[0-9]{3}))?(?:-[a-z0-9]{1,8})*",
    re.ASCII | re.IGNORECASE,
)


def language_of(tag: str) -> str | None:
    """The code of a BCP 47 tag's language (`en-US`, `zh_Hant`, `deu`); None if it names none or is no such tag."""
    match = _TAG.fullmatch(tag.strip().replace("_", "-"))
    if match is None:
        return None
    code = match["language"].lower()
    code = _ALIASES.get(code) or _THREE_TO_TWO.get(code, code)
    if code in _SPECIAL or (len(code) == 2 and code not in _TWO):
        return None
    if code in _NOT_LATIN and (match["script"] or "").lower() == "latn":
        return f"{code}-Latn"
    return code
