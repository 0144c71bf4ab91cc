"""From publishing a post with a picture to reading its decision, at half of what the chain can do.

As `latency`, for posts of one captioned picture each, which rides in the post itself: what a network and a foreign
server add is not measured. No picture comes twice.
"""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.bed import Bed
from benchmarks.drawing import picture_posts
from benchmarks.media_latency import MediaPosts, at_half_load
from benchmarks.report import Report

NAME = "pictures"
PICTURES = MediaPosts(NAME, picture_posts, modalities=("ocr", "image"), backlog=200, quick_backlog=40)


def run(bed: Bed, *, quick: bool, say: Callable[[str], None]) -> Report:
    figures, tables = at_half_load(bed, PICTURES, quick=quick, say=say)
    return Report(NAME, figures, tables)
