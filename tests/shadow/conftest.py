from __future__ import annotations

from tests.delivery.conftest import cluster

__all__ = ["cluster"]
