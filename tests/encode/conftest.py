"""A tiny pack, and its text expert with somebody who asks where it found something."""

from __future__ import annotations

import pytest

from processors.encode import AttributionOptions, Attributor, EncodeProcessor, open_expert
from processors.engines import Engine, Runner
from processors.pack.processor import PackProcessor
from processors.packs import Pack, load_pack
from tests.fused import Chain
from tests.tiny_pack import write_tiny_pack


@pytest.fixture(scope="session")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Pack:
    return load_pack(write_tiny_pack(tmp_path_factory.mktemp("packs") / "tiny"))


@pytest.fixture(scope="session")
def packer(pack: Pack) -> PackProcessor:
    return PackProcessor(pack)


@pytest.fixture(scope="session")
def opened(pack: Pack) -> tuple[Engine, Runner]:
    return open_expert(pack, threads=1)


@pytest.fixture
def encoder(pack: Pack, opened: tuple[Engine, Runner]) -> EncodeProcessor:
    """It remembers nothing of other tests."""
    return EncodeProcessor(*opened, graph="text", attributor=Attributor(pack, AttributionOptions()))


@pytest.fixture
def chain(packer: PackProcessor, encoder: EncodeProcessor) -> Chain:
    return Chain(packer, encoder)
