"""The sets that can be read in their published shape."""

from __future__ import annotations

from models_export.datasets.adapters.adapter import Adapter, Folder
from models_export.datasets.adapters.clips import CLIPS
from models_export.datasets.adapters.h_vli import H_VLI
from models_export.datasets.adapters.hatecheck import HATECHECK, HATEMOJICHECK, MULTILINGUAL_HATECHECK
from models_export.datasets.adapters.hateful_memes import FINE_GRAINED, HATEFUL_MEMES
from models_export.datasets.adapters.hatexplain import HATEXPLAIN
from models_export.datasets.adapters.mami import MAMI
from models_export.datasets.adapters.memes import PROPAGANDA_MEMES, RELIGIOUS_MEMES
from models_export.datasets.adapters.memotion import MEMOTION_1, MEMOTION_2
from models_export.datasets.adapters.mmhs150k import MMHS150K
from models_export.datasets.adapters.olid import OLID
from models_export.datasets.adapters.text_pool import POOL

ADAPTERS: tuple[Adapter, ...] = (
    HATEFUL_MEMES,
    FINE_GRAINED,
    MAMI,
    MMHS150K,
    MEMOTION_1,
    MEMOTION_2,
    HATEXPLAIN,
    OLID,
    HATECHECK,
    MULTILINGUAL_HATECHECK,
    HATEMOJICHECK,
    H_VLI,
    RELIGIOUS_MEMES,
    PROPAGANDA_MEMES,
    *CLIPS,
    POOL,
)

__all__ = ["ADAPTERS", "Adapter", "Folder"]
