from __future__ import annotations

from pathlib import Path

import pytest

from processors.encode import EncodeProcessor
from processors.pack.features import FEATURES
from processors.pack.processor import PackProcessor
from processors.packs import Pack, load_pack
from processors.policy import Policy, load_policy
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
def policy(pack: Pack) -> Policy:
    """The policy that ships."""
    return load_policy(DEFAULT_POLICY, pack.manifest.thresholds, FEATURES)


@pytest.fixture(scope="session")
def packer(pack: Pack) -> PackProcessor:
    return PackProcessor(pack)


@pytest.fixture(scope="session")
def encoder(pack: Pack) -> EncodeProcessor:
    return EncodeProcessor.of(pack, threads=2)
