"""Rows of the text pool as items. Reading the pool takes pandas, which only training needs otherwise."""

from __future__ import annotations

import importlib
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from models_export.evaluation.judgement.suite import Source
from models_export.evaluation.labelled_media import SuiteError
from schemas import Context, Post

NEEDS = "text_pool.parquet is read with pandas and pyarrow, which the `train` extra has: pip install 'modstream[train]'"


def pool_module(name: str) -> ModuleType:
    """A module of models_export that needs pandas. Raises SuiteError where that is not installed."""
    try:
        importlib.import_module("pyarrow")
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise SuiteError(f"{error.name} is not installed: {NEEDS}") from None


def permissive_only(source: Source) -> bool:
    """Whether the pack was trained on permissive rows alone, as what ships is."""
    return bool(source.pack.manifest.training.recipe.get("permissive_only", True))


def pool_rows(source: Source) -> Any:
    """All rows of the pool, a DataFrame. Raises SuiteError for a folder without a pool, or with a broken one."""
    with reading_pool(source.data):
        return pool_module("models_export.text_expert.pool").read_pool(source.data, permissive_only=False)


@contextmanager
def reading_pool(data: Path) -> Generator[None]:
    """Raises SuiteError for what reading a pool raises: files that are not there, cut off, or without the columns."""
    try:
        yield
    except SuiteError:
        raise
    except OSError as error:
        raise SuiteError(str(error)) from None
    except (KeyError, ValueError) as error:  # pandas' and pyarrow's own are ValueErrors
        what = str(error).partition("\n")[0]
        raise SuiteError(
            f"{data}: its pool cannot be read ({what}); expected text_pool.parquet as it is made"
        ) from None


def post_of(row: Any) -> Post:
    """A row as somebody would post it: its context is what it answers to."""
    return Post(post_id=row.id, text=row.text, context=Context(parent_text=row.context) if row.context else None)
