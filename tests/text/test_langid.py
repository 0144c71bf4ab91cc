"""Language identification: what it tells, and when it says that it cannot tell."""

from __future__ import annotations

import socket
from typing import NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.text import langid
from processors.text.langid import MIN_CONFIDENCE, detect

SENTENCES = {
    "ar": "أعتقد أن الطقس جميل جدا اليوم في المدينة",
    "bn": "আমি মনে করি আজ আবহাওয়া খুব সুন্দর",
    "de": "Ich glaube, dass das Wetter heute sehr schön ist",
    "el": "Νομίζω ότι ο καιρός είναι πολύ ωραίος σήμερα",
    "en": "I think that the weather is very nice in town today",
    "es": "Creo que hoy hace muy buen tiempo en la ciudad",
    "fa": "فکر می‌کنم امروز هوا در شهر خیلی خوب است",
    "fr": "Je crois que le temps est très beau en ville aujourd'hui",
    "hi": "मुझे लगता है कि आज मौसम बहुत अच्छा है",
    "id": "Saya pikir cuaca di kota hari ini sangat bagus sekali",
    "it": "Credo che oggi il tempo sia molto bello in città",
    "ja": "今日は天気がとても良いと思います",
    "ko": "오늘은 날씨가 정말 좋은 것 같아요",
    "mr": "मला वाटते की आज हवामान खूप चांगले आहे",
    "pt": "Acho que o tempo está muito bom hoje na cidade",
    "ru": "Мне кажется, что сегодня в городе очень хорошая погода",
    "ta": "இன்று வானிலை மிகவும் நன்றாக இருக்கிறது",
    "te": "ఈ రోజు వాతావరణం చాలా బాగుంది",
    "th": "วันนี้อากาศดีมาก",
    "tr": "Bugün şehirde havanın çok güzel olduğunu düşünüyorum",
    "uk": "Мені здається, що сьогодні в місті дуже гарна погода",
    "vi": "Tôi nghĩ hôm nay thời tiết trong thành phố rất đẹp",
    "zh": "我觉得今天城里的天气很好",
}


@pytest.mark.parametrize(("lang", "sentence"), SENTENCES.items(), ids=SENTENCES)
def test_a_sentence_is_known_for_its_language(lang: str, sentence: str) -> None:
    found, confidence = detect(sentence)
    assert found == lang
    assert MIN_CONFIDENCE <= confidence <= 1.0


@pytest.mark.parametrize(
    "sentence", ["ICH GLAUBE, DASS DAS WETTER HEUTE SEHR SCHÖN IST", "  ich glaube,\ndass das\nwetter heute schön ist"]
)
def test_case_and_line_breaks_do_not_matter(sentence: str) -> None:
    assert detect(sentence)[0] == "de"


@pytest.mark.parametrize(
    "noisy",
    [
        "@the_weather_channel Creo que hoy hace muy buen tiempo https://weather.example/today/in/the/city",
        "Creo que hoy hace muy buen tiempo 😀😀 👍🏽 !!! 1234 <user> [URL]",
        "https://news.example.com/天气 Creo que hoy hace muy buen tiempo",
    ],
)
def test_names_addresses_numbers_and_emoji_do_not_matter(noisy: str) -> None:
    assert detect(noisy)[0] == "es"


def test_an_address_does_not_hide_the_sentence_written_right_behind_it() -> None:
    assert detect("https://example.com/a?b=c今天城里的天气很好")[0] == "zh"
    assert detect("@someone今天城里的天气很好")[0] == "zh"


@pytest.mark.parametrize(
    "text", ["", " \n", "😂😂", "!!! ...", "12:30", "@user", "https://example.com", "\u200b\0", "\ud800"]
)
def test_where_nothing_is_said_no_language_is_found(text: str) -> None:
    assert detect(text)[0] is None


@pytest.mark.parametrize("text", ["lol", "haha", "AA BB", "brrr"])
def test_an_unsure_answer_is_withheld_but_its_confidence_is_told(text: str) -> None:
    found, confidence = detect(text)
    assert found is None
    assert 0.0 <= confidence < MIN_CONFIDENCE


def test_a_brand_name_does_not_outweigh_the_sentence_around_it() -> None:
    assert detect("iPhone 15 Pro Max 真的很好用啊我觉得")[0] == "zh"
    assert detect("오늘 Starbucks 커피")[0] == "ko"


def test_a_foreign_word_does_not_outweigh_the_sentence_around_it() -> None:
    assert detect("the Chinese word for weather is 天气 and I like it")[0] == "en"


def test_only_the_beginning_of_a_long_text_is_read() -> None:
    assert detect(SENTENCES["fr"] * 20_000)[0] == "fr"


def test_nothing_is_ever_downloaded(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> NoReturn:
        raise AssertionError("tried to open a connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    langid._detector.cache_clear()
    langid.load()
    assert detect(SENTENCES["it"])[0] == "it"


@given(st.text(st.characters(codec=None)))
def test_any_text_gets_an_answer_and_always_the_same(text: str) -> None:
    found, confidence = detect(text)
    assert 0.0 <= confidence <= 1.0
    assert found is None or found.isascii()
    assert detect(text) == (found, confidence)
