"""The folded view, by example: disguises that are undone, and look-alikes of disguises that must be left alone."""

from __future__ import annotations

import pytest

from processors.text import folded_view, text_view

DISGUISED = {
    "invisible characters": [
        ("you id\u200bi\u200bot", "you idiot"),
        ("sc\u00adum", "scum"),
        ("st\u2060up\ufeffid", "stupid"),
        ("h\U000e0041ate", "hate"),
        ("ki\u3164ll", "kill"),
    ],
    "stacked marks": [
        ("h̷̢̛̖a̵͎͝t̶͙͒ě̸̡̛", "hate"),
        ("s̶c̶u̶m̶", "scum"),
        ("i\u20dfdiot", "idiot"),
    ],
    "styled letters": [
        ("ｉｄｉｏｔ", "idiot"),
        ("𝖎𝖉𝖎𝖔𝖙", "idiot"),
        ("𝕙𝕒𝕥𝕖 you", "hate you"),
        ("ⓢⓒⓤⓜ", "scum"),
        ("🄷🄰🅃🄴", "HATE"),
        ("🅷🅰🆃🅴", "HATE"),
        ("h🅰️te", "hate"),
        ("ʜᴀᴛᴇ", "hate"),
        ("🇭 🇦 🇹 🇪", "HATE"),
    ],
    "homoglyphs": [
        ("sсum", "scum"),
        ("іdіоt", "idiot"),
        ("НАTE you all", "HATE you all"),
        ("you are ѕсо", "you are sco"),
        ("hαte", "hate"),
        ("ᕼᗩTE", "HATE"),
        ("ꓧꓮTE", "HATE"),
        ("stuрid", "stupid"),
        ("sϲum", "scum"),
    ],
    "Latin letters in Cyrillic words": [
        ("ты дypaк и тyпoй", "ты дурак и тупой"),
        ("кoзёл пришёл", "козёл пришёл"),
    ],
    "leetspeak": [
        ("h4te", "hate"),
        ("H4TE", "HATE"),
        ("1d1ot", "idiot"),
        ("stup1d l0ser", "stupid loser"),
        ("sh!t", "shit"),
        ("bullsh!t", "bullshit"),
        ("b@stard", "bastard"),
        ("d@mn it", "damn it"),
        ("@ss", "ass"),
        ("you @sshole!", "you asshole!"),
        ("$hit", "shit"),
        ("$lut", "slut"),
        ("a$$", "ass"),
        ("pa$$ion", "passion"),
        ("5h1t", "shit"),
        ("b1tch3s", "bitches"),
        ("k1ll", "kill"),
        ("he11o", "hello"),
        ("ni66le", "niggle"),
        ("n33d", "need"),
        ("#l0sers", "#losers"),
    ],
    "words spelled out": [
        ("i d i o t", "idiot"),
        ("you s c u m", "you scum"),
        ("h.a.t.e", "hate"),
        ("i-d-i-o-t", "idiot"),
        ("s_c_u_m", "scum"),
        ("s*c*u*m", "scum"),
        ("s . c . u . m", "scum"),
        ("k i l l  y o u r s e l f", "kill  yourself"),
        ("such a p e s t you are", "such a pest you are"),
        ("д.у.р.а.к", "дурак"),
        ("h 4 t e", "hate"),
    ],
    "letters drawn out": [
        ("idioooooot", "idioot"),
        ("stuuuuupid", "stuupid"),
        ("scuuuum", "scuum"),
    ],
    "several at once": [
        ("ｉ ｄ ｉ ｏ ｔ", "idiot"),
        ("h\u200b.a\u200b.t\u200b.e", "hate"),
        ("іd1ot", "idiot"),
        ("𝖘.𝖈.𝖚.𝖒", "scum"),
        ("h̶4̶t̶e̶", "hate"),
    ],
}

BENIGN = {
    "numbers": "I have 4 cats, 10 fish and 1,000 ideas",
    "dates and times": "2024-05-01 10:30, 5pm, 10am, the 2nd of May '24",
    "prices": "$50, US$20, R$ 10, 5€, £3, 20% off, A$5",
    "ordinals": "1st 2nd 3rd 4th 21st",
    "names with numbers": "covid19 mp3 mp4 b2b ps5 md5 h1n1 4chan web3 log4j i18n k8s w3c 7up u2",
    "covid in compounds": "covid19vaccine win10pro gta5",
    "model numbers": "GTX1080Ti iPhone14Pro A320neo RTX3080 F16 B52 Boeing747",
    "chat spelling": "r u ok m8? gr8, c u l8r, b4 4ever",
    "user names": "@john4real and @h4x0r_99 said hi to @assassin",
    "addresses": "me@home.com, j0hn@exa3mple.org, https://t.co/a1b2c3, www.l33t.example/n00b, w3schools.com",
    "identifiers": "user_n4me /path/t0/file",
    "keys": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "acronyms": "U.S.A. F.B.I. a.k.a. e.g. i.e. p.m. R.I.P.",
    "initials": "J. R. R. Tolkien and C. S. Lewis",
    "lists": "a, b, c, d; A B C D E F; x/y/z; 1 2 3 4 5; a-b-c-d",
    "little words": "u r a star, y o u k, x x x, I a m",
    "little words elsewhere": "o q é isso? и т д, a e i o",
    "possessives": "it's a B side; don't",
    "laughs and cries": "hahahaha jajajaja sooooo looool hmmmm aaaaaah zzzzz",
    "words drawn out at the end": "yesssss niceeeee goooal! wooow",
    "triple letters": "Schifffahrt Brennnessel",
    "punctuation": "wow!that's great!!! no?!?! well...yes; hello!how are you",
    "cashtags": "$TSLA $AAPL $btc",
    "gender-neutral Spanish": "hola a tod@s mis amig@s y querid@s chic@s",
    "plus and minus": "C++ A/B x-y AC/DC 50/50",
    "Russian": "Привет, как дела? Это СССР, а не США. Я и ты",
    "Russian with Latin words": "у меня iPhone и Wi-Fi-роутер, USB-кабель, 3D-модель, IT-компания",
    "a Russian word in English": "the word мир means peace and world, вот",
    "Ukrainian": "Їжак і ґанок, під'їзд, об’єкт",
    "Serbian": "Љубав је најважнија, ђак",
    "Greek": "Καλημέρα κόσμε, τι κάνεις; ΝΑ ΖΗΣΕΙΣ",
    "units and formulas": "5 μm, 10 kΩ, 3 μg, Δx, TNFα, NFκB, x²+y², H₂O is m³",
    "Armenian": "Բարեւ ձեզ, ինչպես եք",
    "Cherokee": "ᎣᏏᏲ ᏙᎯᏧ",
    "a Cherokee word in English": "the ᏣᎳᎩ language",
    "Inuktitut": "ᐃᓄᒃᑎᑐᑦ in Nunavut",
    "Chinese": "今天，天气很好！（真的）２０２０年１２月３日，好吗？",
    "Japanese": "ｶﾞﾝﾊﾞﾚ！今日は１０時〜、ﾜﾛﾀ",
    "Korean": "ㅋㅋㅋㅋㅋ ㅠㅠ 안녕하세요ㅎㅎ",
    "Thai": "สวัสดีครับ น้ำ",
    "Hindi": "क्\u200dया हाल है? श्री",
    "Persian": "می\u200cخواهم به خانه\u200cام بروم",
    "Sinhala": "ශ්\u200dරී ලංකාව ප්\u200dරේමය",
    "Arabic": "السَّلَامُ عَلَيْكُم ﷺ",
    "Hebrew with points": "שָׁלוֹם עֲלֵיכֶם",
    "Vietnamese": "Tiếng Việt đẹp quá, người ơi",
    "Yoruba": "ọ̀rọ̀ Yorùbá dára púpọ̀",
    "Turkish": "İstanbul'da çok güzel ışık",
    "accents": "L'été à Paris, Österreich, niño, façade, Łódź, nº 1, 1ª",
    "signs": "™ © ® ½ ² № … « » “quoted” – — •",
    "emoji": "❤️ 👨‍👩‍👧 🏳️‍🌈 1️⃣ 🇫🇷🇩🇪 🏴\U000e0067\U000e0062\U000e007f 👍🏽",
    "emoji of letters": "🅿️ parking, blood group 🅰️ or 🅾️, ℹ️ desk",
    "flags broken up": "🇺 🇸 rules",
    "invisible characters at the edges": "\u200bhello world\u200b \ufeff!",
}


def folded(posted: str) -> str | None:
    found = folded_view(*text_view(posted))
    return None if found is None else found[0]


@pytest.mark.parametrize(
    ("posted", "undone"),
    [pytest.param(*pair, id=f"{kind}: {pair[0]!a}") for kind, pairs in DISGUISED.items() for pair in pairs],
)
def test_a_disguise_is_undone(posted: str, undone: str) -> None:
    assert folded(posted) == undone


@pytest.mark.parametrize("posted", BENIGN.values(), ids=BENIGN.keys())
def test_what_only_resembles_a_disguise_has_no_second_view(posted: str) -> None:
    assert folded(posted) is None


@pytest.mark.parametrize("posted", BENIGN.values(), ids=BENIGN.keys())
def test_beside_a_disguise_other_words_keep_their_letters(posted: str) -> None:
    """A disguise elsewhere opens the second view; what is genuine in the text must come through it."""
    view = folded(f"{posted}\nstup1d")
    assert view is not None
    assert view.endswith("\nstupid")
    if posted.isascii():
        assert view.removesuffix("\nstupid") == posted


def test_full_width_punctuation_alone_is_no_second_view() -> None:
    assert folded("你好，世界！（测试）：１２３") is None


def test_evidence_in_the_folded_view_points_at_what_was_posted() -> None:
    posted = "Hey\0, you  are an i-d-i-0-t\u202c!"
    found = folded_view(*text_view(posted))
    assert found is not None
    view, to_original = found
    at = view.index("idiot")
    start, end = to_original.to_original(at, at + len("idiot"))
    assert posted[start:end] == "i-d-i-0-t"
