"""The suites of judgement; `models_export.evaluation.judgement.suite` says how to add one."""

from __future__ import annotations

import importlib

from models_export.evaluation.judgement.suite import Suite

SUITES = {
    "text": "labelled texts of the pool's dev rows, by language and set, with baselines",
    "hatecheck": "HateCheck and Multilingual HateCheck, by function, language and target",
    "traffic": "everyday posts that nobody judged: how many of them go to review",
    "woah": "fine-grained hateful memes: hate, protected category and attack, with the published scorer's figures",
    "fairness": "identity templates, the same text in other fields, parallel templates of eleven languages",
    "h-vli": "posts whose text, picture and whole were judged apart, by pattern and difficulty",
    "memes": "memes with their pictures: the whole, words alone, pictures alone, and what fusion gains",
    "robustness": "the same texts after typos, leetspeak, spacing and look-alike letters",
    "robustness-media": "pictures whose text is blurred or badly compressed, sounds with silence in between",
}
"""Name -> what is asked. Each is the module of its name here (`-` is `_`), imported only when it is asked for."""


def suite_named(name: str) -> Suite:
    """Raises KeyError for a name that is not in SUITES."""
    if name not in SUITES:
        raise KeyError(name)
    return importlib.import_module(f"{__name__}.{name.replace('-', '_')}").SUITE
