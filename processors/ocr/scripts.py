"""Which scripts a recogniser reads, by the characters that it knows."""

from __future__ import annotations

from collections.abc import Collection

_LETTERS = {
    "Arab": "\u0627\u0628\u062a\u062b\u062c\u062d\u062e\u062f\u0631\u0632\u0633\u0634\u0635\u0636\u0637\u0639\u063a"
    "\u0641\u0642\u0643\u0644\u0645\u0646\u0647\u0648\u064a",
    "Armn": "\u0561\u0562\u0563\u0564\u0565\u0566\u0567\u0568\u0569\u056a\u056b\u056c\u056d\u056e\u056f\u0570",
    "Beng": "\u0985\u0986\u0987\u0995\u0996\u0997\u099a\u099c\u099f\u09a4\u09a6\u09a8\u09aa\u09ac\u09ae\u09b0\u09b2",
    "Cyrl": "абвгдежзийклмнопрстуфхцчшщыьэюяАБВГДЕЖЗИКЛМНОПРСТУФХЦЧШЭЮЯ",
    "Deva": "\u0905\u0906\u0907\u0909\u090f\u0915\u0916\u0917\u091a\u091c\u091f\u0924\u0926\u0928\u092a\u092c\u092e"
    "\u0930\u0932\u0935\u0938\u0939\u093e\u093f\u0940\u094d",
    "Geor": "აბგდევზთიკლმნოპჟრსტუფქღყშჩცძწჭხჯჰ",
    "Grek": "αβγδεζηθικλμνξοπρστυφχψωςάέήίόύώΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩ",
    "Gujr": "\u0a85\u0a95\u0a97\u0a9a\u0a9c\u0aa4\u0aa6\u0aa8\u0aaa\u0aac\u0aae\u0ab0\u0ab2\u0ab5\u0ab8\u0ab9",
    "Guru": "\u0a05\u0a15\u0a17\u0a1a\u0a1c\u0a24\u0a26\u0a28\u0a2a\u0a2c\u0a2e\u0a30\u0a32\u0a35\u0a38\u0a39",
    "Hang": "가나다라마바사아자차카타파하고는은을의이에로한기지시어도",
    "Hani": "一不人大中国我是的有在了这他来上个时要就出会可也你对生能子那得于着下自之年",
    "Hebr": "\u05d0\u05d1\u05d2\u05d3\u05d4\u05d5\u05d6\u05d7\u05d8\u05d9\u05db\u05dc\u05de\u05e0\u05e1\u05e2\u05e4"
    "\u05e6\u05e7\u05e8\u05e9\u05ea",
    "Hira": "あいうえおかきくけこさしすせそたちつてとなにぬねのはひふへほまみむめもやゆよらりるれろわをん",
    "Kana": "アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワン",
    "Knda": "\u0c85\u0c95\u0c97\u0c9a\u0c9c\u0ca4\u0ca6\u0ca8\u0caa\u0cac\u0cae\u0cb0\u0cb2\u0cb5\u0cb8\u0cb9",
    "Latn": "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "Mlym": "\u0d05\u0d15\u0d17\u0d1a\u0d1c\u0d24\u0d26\u0d28\u0d2a\u0d2c\u0d2e\u0d30\u0d32\u0d35\u0d38\u0d39",
    "Taml": "\u0b85\u0b87\u0b89\u0b95\u0b9a\u0b9f\u0ba4\u0ba8\u0baa\u0bae\u0baf\u0bb0\u0bb2\u0bb5\u0bcd",
    "Telu": "\u0c05\u0c06\u0c15\u0c17\u0c1a\u0c1c\u0c24\u0c26\u0c28\u0c2a\u0c2c\u0c2e\u0c30\u0c32\u0c35\u0c38\u0c39",
    "Thai": "กขคงจชซดตถทนบปผพมยรลวสหอ\u0e31\u0e32\u0e34\u0e35\u0e40\u0e41",
}
"""Letters that no page in a script does without. Accents and final letters are among them where words need them: Greek
without its tonos is not read, although the 24 letters are known for formulas."""

_COMPOUND = {
    "Hans": ("Hani",),
    "Hant": ("Hani",),
    "Jpan": ("Hani", "Hira", "Kana"),
    "Kore": ("Hang",),
}
"""Codes of ISO 15924 that stand for several scripts or a variant."""


def scripts_read(characters: Collection[str]) -> tuple[str, ...]:
    """The scripts (ISO 15924), in alphabetical order, whose letters are among a recogniser's characters."""
    known = {letter for character in characters for letter in character}
    simple = {script for script, letters in _LETTERS.items() if known.issuperset(letters)}
    compound = {script for script, parts in _COMPOUND.items() if simple.issuperset(parts)}
    return tuple(sorted(simple | compound))
