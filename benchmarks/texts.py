"""Posts for the text chain: neutral sentences in many languages, 10 to 40 tokens each."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

FILE = Path(__file__).with_name("texts.txt")


def sentences() -> list[str]:
    """All of them, in the file's order."""
    return FILE.read_text(encoding="utf-8").splitlines()


def posts(count: int) -> Iterator[tuple[str, bytes]]:
    """Key and value of `count` posts, every sentence in its turn."""
    texts = sentences()
    for number in range(count):
        key = f"p-{number:06}"
        post = {"schema": "post/1", "post_id": key, "text": texts[number % len(texts)]}
        yield key, json.dumps(post, ensure_ascii=False).encode()
