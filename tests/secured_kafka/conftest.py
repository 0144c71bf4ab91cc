from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.secured_kafka.secured_broker import SecuredBroker
from tests.secured_kafka.secured_chain import Chain
from tests.secured_kafka.users import USERS


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredBroker]:
    """A broker with users who can log in and may do nothing yet."""
    with SecuredBroker(tmp_path_factory.mktemp("secured"), USERS) as broker:
        yield broker


@pytest.fixture
def chain(secured: SecuredBroker, topic_prefix: str, tmp_path: Path) -> Iterator[Chain]:
    """Names of one test's own, and no grants at its beginning and end."""
    chain = Chain(secured, topic_prefix, tmp_path)
    yield chain
    chain.close()
