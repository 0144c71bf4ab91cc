"""What an adapter is: where a set's files are, and how they become rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from models_export.datasets.manifest import Labels, MediaFile, Row
from models_export.datasets.source import find
from schemas import TARGETS
from schemas.sections import MediaKind

PARENTS = ("", "named", "memes", "media")
"""Below the data folder; a set's own folder lies in one of them."""

HATE = {"abuse": True, "hate": True}
NO_HATE = {"abuse": False, "hate": False}
"""In a hate-only set this is no proof of a polite text, and `source` says so."""
HATE_ONLY = "abuse 0 means no hate: it may be rude"


@dataclass(frozen=True, slots=True)
class Adapter:
    """A set in its published shape."""

    dataset: str
    folders: tuple[str, ...]
    """Names that its folder may have; of a set without a folder of its own, empty."""
    files: tuple[str, ...]
    """Any one of these (or with `.xz`) says that the set is there."""
    licence: str
    source: str
    read: Callable[[Adapter, Folder], Iterator[Row]]
    """Raises DatasetError."""
    lang: str = "en"

    def find(self, data: Path) -> Folder | None:
        """Where the set is below `data`; None where it is not."""
        for parent in PARENTS if self.folders else ("",):
            for name in self.folders or ("",):
                folder = data / parent / name
                if find(folder, *self.files) is not None:
                    return Folder(data, folder)
        return None

    def row(self, identity: str, **fields: Any) -> Row:
        """A row of this set; language, licence and source unless they are given."""
        usual: dict[str, Any] = {
            "dataset": self.dataset,
            "lang": self.lang,
            "licence": self.licence,
            "source": self.source,
        }
        return Row(id=f"{self.dataset}:{identity}", **{**usual, **fields})


@dataclass(frozen=True, slots=True)
class Folder:
    """A set's folder below the data folder."""

    data: Path
    path: Path

    def file(self, *names: str) -> Path | None:
        """The first of these files that is there, packed or not."""
        return find(self.path, *names)

    def media(self, name: str, *, beside: Path | None = None, kind: MediaKind = "image") -> tuple[MediaFile, ...]:
        """A file named relative to `beside`, by default the set's folder. It need not be there."""
        folder = self.path if beside is None else beside
        relative = PurePosixPath(folder.relative_to(self.data).as_posix()) / name
        return (MediaFile(path=str(relative), kind=kind),)


def majority(votes: Sequence[bool]) -> bool | None:
    """What more than half of the annotators say; None for a tie or nobody."""
    yes = sum(votes)
    return None if 2 * yes == len(votes) else 2 * yes > len(votes)


def in_order(targets: set[str]) -> tuple[str, ...]:
    """Targets as the taxonomy lists them."""
    return tuple(name for name in TARGETS if name in targets)


def hateful(hate: bool, targets: tuple[str, ...] | None = None) -> Labels:
    """What a set says that knows hate and everything else. Nobody is a target where there is none."""
    return Labels(labels=dict(HATE if hate else NO_HATE), targets=targets if hate else ())
