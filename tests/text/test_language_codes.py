"""From the tags that producers write to the codes in records."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.text.language_codes import language_of


@pytest.mark.parametrize(
    ("tag", "code"),
    [
        ("en", "en"),
        ("EN", "en"),
        (" de ", "de"),
        ("en-US", "en"),
        ("pt_BR", "pt"),
        ("zh-Hant-TW", "zh"),
        ("zh-cmn-Hans-CN", "zh"),
        ("es-419", "es"),
        ("de-CH-1996", "de"),
        ("en-u-ca-gregory", "en"),
        ("deu", "de"),
        ("ger", "de"),
        ("arz", "ar"),
        ("yue-HK", "zh"),
        ("nb-NO", "no"),
        ("iw", "he"),
        ("sr-Latn", "sr"),
        ("ceb", "ceb"),
        ("hi-Latn", "hi-Latn"),
        ("ur-latn-PK", "ur-Latn"),
        ("hi-Deva", "hi"),
        ("en-Latn", "en"),
    ],
)
def test_a_tag_gives_the_code_of_its_language(tag: str, code: str) -> None:
    assert language_of(tag) == code


@pytest.mark.parametrize(
    "tag", ["", "e", "english", "en-", "-en", "e n", "en/us", "und", "zxx", "mul", "qq", "12", "ſr", "en\n-US", "日本"]
)
def test_what_names_no_language_gives_none(tag: str) -> None:
    assert language_of(tag) is None


@given(st.text(max_size=256))
def test_any_tag_is_answered(tag: str) -> None:
    code = language_of(tag)
    assert code is None or language_of(code) == code
