"""Whom the phrases of the identity templates name: the term in a phrase, and the group of people it is of.

The templates are those of conversationai/unintended-ml-bias-analysis (Dixon et al. 2018, Measuring and Mitigating
Unintended Bias in Text Classification) and their translations. The published sample has phrases only, so that terms are
found by what stands around them.
"""

from __future__ import annotations

import re

UNKNOWN = "other"

_VERB = "verb:"
"""Of templates that are a verb and a term: what follows is the verb's first word."""

PATTERNS: dict[str, tuple[str, ...]] = {
    "en": (r"Being (?P<term>.+) is \S+", r"I (?:am|hate) (?P<term>.+)"),
    "de": (r"Du bist eine? (?:d\S\S beste|\S+) (?P<term>.+)", r"\S+ +(?P<term>.+)"),
    "nl": (
        r"(?:Je|U|je|u) bent een (?:super )?\S+ (?P<term>.+) persoon",
        r"(?:geven om|je bek houden|\S+) (?P<term>.+)",
    ),
    "hi-Latn": (r"(?P<term>.+?) ho\S+ \S+ \S+",),
    "zh": (r"你是一位(?:.+的|\S\S)(?P<term>\S+)",),
}
"""Language -> how a whole phrase is built; the first that fits counts."""

_EVERY_ONE = "所有"
"""Chinese: all; it may stand before a term."""

STEMS: dict[str, dict[str, str]] = {
    "en": {
        "race": "white|black|african|asian|latin|hispanic|middle eastern",
        "religion": "muslim|jewish|christian|catholic|protestant|buddhist|sikh|taoist",
        "nationality": "american|european|japanese|indian|canadian|mexican|chinese",
        "sex": "female|male|trans|nonbinary",
        "sexual_orientation": "lgbt|queer|gay|lesbian|bisexual|homosexual|heterosexual|straight",
        "disability": "blind|deaf|paralyzed",
        "age": "teenage|millenial|old|young|elderly|middle aged",
    },
    "de": {
        "race": "weiß|schwarz|afrikan|afroamerikan|asiat|latin|arab|oriental",
        "religion": "muslim|jüd|christ|kathol|evangel|buddhist|sikh",
        "nationality": "italien|marrok|japan|polisch|afghan|indisch|türk|span|chines|amerikan|europä",
        "sex": "weiblich|männlich|trans|non-binär",
        "sexual_orientation": "lgbt|queer|schwul|lesb|bisexu|homosex|hetero",
        "disability": "blind|taub|gelähmt",
        "age": "jung|jüng|jugend|alt|ält|millenial|mittleren alters",
    },
    "nl": {
        "race": "blank|aziatisch|latin|afrikaan|westers",
        "religion": "gereformeerd|christelijk|jood|katholiek|protestant|sikh|hindoe|boeddhist|moslim",
        "nationality": "japans|koreaans|vlaams|vlaming|allochtoon|autochtoon|belg|pools|duits|turk|indisch|marokkaan|"
        "chine|deen|fries|engelsman|fin|noor|amerikaans|surinaam|europe|antilliaan",
        "sex": "vrouw|man|trans|travestiet|cis|meisje|jongen|moeder|vader",
        "sexual_orientation": "hetero|homo|bisek|lesb|lgbt",
        "disability": "blind|doof|verlamd",
        "age": "kleuter|gepensioneerd|baby|oud|opa|oma|jong|senior|junior|twintiger|tiener|peuter|puber|kind|volwassen|"
        "van middelbare leeftijd",
    },
    "hi-Latn": {
        "race": "afriki|asiaayi|safed|kala|kali|madhya purvi",
        "religion": "esaayi|isaai|jain|sikh|protest|shiya|paarasi|musalman|muslim|hindoo|bouddh|bauddh|yahudi|yahoodi|"
        "sunni|catholic|caitholik|vaishnav|shaanav",
        "nationality": "speni|chini|europiya|amariki|canadian|japani|mexican|bhartiya|paakistani|maraathi|gujaraati|"
        "madraasi|bangaali|maarwadi|malayaali|bihaari|pahaadi",
        "sex": "purush|stree|vishamlingi stree",
        "sexual_orientation": "samlaingik|ubhaylingi|vishamlingi|sidha",
        "disability": "pakshaghaat|badhir|andha|andhi",
        "age": "kishoravastha|adhed|puran|bahot puran|jawan|chota",
        "caste": "baniya|vaishy|pandit|dhobi|nat|meena|lohaar|jaat|thathere|banjaara|kshatriy|sonaar|"
        "gurjar|shudr|brahman",
    },
    "zh": {
        "race": "黄种人|白人|白种人|黑人|亚洲人|非洲人|藏族人|蒙古族人|满族人|维吾尔族人|回族人|客家人",
        "religion": "牧师|尼姑|和尚|道士|基督|信徒|穆斯林|佛教徒|天主教徒",
        "nationality": "阿塞拜疆人|南京人|中国人|江西人|澳大利亚人|瑞士人|美国人|外国人|法国人|四川人|广州人|德国人|"
        "巴基斯坦人|江苏人|爱尔兰人|秘鲁人|上海人|越南人|以色列人|俄罗斯人|欧洲人|巴西人|意大利人|阿根廷人|瑞典人|韩国人|广东人|日本人|"
        "浙江人|英国人",
        "sex": "女人|男性|女性|男人|双性人|变性人",
        "sexual_orientation": "男同性恋|女同性恋|同性恋|双性恋|异性恋",
        "disability": "身心障碍者|残疾人|残障人士|盲人|视障人士|智障人士",
        "age": "中老年人|青年|女孩|小姑娘|长者|小伙子|老年人|儿童|中年人|小孩|幼儿|少女|老人|青壮年|成人|少年|年轻人|"
        "青少年|少儿|婴儿|成年人|男孩",
    },
}
"""Language -> group of people -> how its terms begin, in lower case; the longest beginning that fits counts."""


def term_of(lang: str, template: str, phrase: str) -> str | None:
    """The term as it stands there, in lower case; None for a phrase that is built in none of the known ways."""
    phrase = phrase.strip()
    if lang == "zh" and template.startswith(_VERB):
        term: str | None = phrase.removeprefix(template.removeprefix(_VERB))
    else:
        found = (re.fullmatch(pattern, phrase) for pattern in PATTERNS.get(lang, ()))
        term = next((match["term"] for match in found if match), None)
    return (term or "").strip().removeprefix(_EVERY_ONE).lower() or None


def group_of(lang: str, term: str) -> str:
    """The group of people that a term is of; UNKNOWN where no beginning fits."""
    fitting = [
        (len(stem), name)
        for name, stems in STEMS.get(lang, {}).items()
        for stem in stems.split("|")
        if term.startswith(stem)
    ]
    return max(fitting)[1] if fitting else UNKNOWN
