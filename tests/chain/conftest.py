from __future__ import annotations

from pathlib import Path

import pytest

from processors.encode import EncodeProcessor
from processors.fuse import FuseProcessor
from processors.pack.features import FEATURES
from processors.pack.processor import PackProcessor
from processors.packs import Pack, load_pack
from processors.policy import Policy, load_policy, parse_policy
from tests.fused import LENIENT, NOW_MS, Chain
from tests.tiny_image import add_tiny_image
from tests.tiny_pack import write_tiny_pack

DEFAULT_POLICY = Path(__file__).parents[2] / "policies" / "default.yaml"


@pytest.fixture(scope="session")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Pack:
    return load_pack(write_tiny_pack(tmp_path_factory.mktemp("packs") / "tiny"))


@pytest.fixture(scope="session")
def leaky_pack(tmp_path_factory: pytest.TempPathFactory) -> Pack:
    """Its rows influence each other in one run, as with dynamic int8, and so its isolation is `row`."""
    return load_pack(write_tiny_pack(tmp_path_factory.mktemp("packs") / "leaky", leaky=True, isolation="row"))


@pytest.fixture(scope="session")
def seeing_pack(tmp_path_factory: pytest.TempPathFactory) -> Pack:
    """It has an image expert, which tells `sexual`."""
    return load_pack(add_tiny_image(write_tiny_pack(tmp_path_factory.mktemp("packs") / "seeing")))


@pytest.fixture(scope="session")
def policy(pack: Pack) -> Policy:
    """The policy that ships."""
    return load_policy(DEFAULT_POLICY, pack.thresholds, FEATURES)


@pytest.fixture(scope="session")
def packer(pack: Pack) -> PackProcessor:
    return PackProcessor(pack)


@pytest.fixture(scope="session")
def encoder(pack: Pack) -> EncodeProcessor:
    return EncodeProcessor.of(pack, threads=2)


@pytest.fixture(scope="session")
def chain(packer: PackProcessor, encoder: EncodeProcessor) -> Chain:
    return Chain(packer, encoder)


@pytest.fixture(scope="session")
def fuser(pack: Pack, policy: Policy) -> FuseProcessor:
    return FuseProcessor(pack, policy, code="test", clock=lambda: NOW_MS)


@pytest.fixture(scope="session")
def lenient(pack: Pack) -> FuseProcessor:
    policy = parse_policy(LENIENT.encode(), "lenient.yaml", pack.thresholds, FEATURES)
    return FuseProcessor(pack, policy, code="test", clock=lambda: NOW_MS)


@pytest.fixture(scope="session")
def seer(seeing_pack: Pack) -> FuseProcessor:
    """The policy that ships, over a pack that knows pictures."""
    policy = load_policy(DEFAULT_POLICY, seeing_pack.thresholds, FEATURES)
    return FuseProcessor(seeing_pack, policy, code="test", clock=lambda: NOW_MS)
