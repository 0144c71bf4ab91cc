"""Two tiny packs that judge alike and name themselves differently, policies for them, and records to judge."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

from processors.chain import ChainOptions, Models
from processors.ingest.processor import IngestProcessor
from processors.isolation import run_batch
from processors.pack.features import FEATURES
from processors.packs import load_pack
from processors.policy import load_policy
from schemas import Post, Record
from tests.fused import NOW_MS
from tests.ingested import received
from tests.tiny_pack import tiny_manifest, write_manifest, write_tiny_pack

OPTIONS = ChainOptions(code="test", threads=1, clock=lambda: NOW_MS)

POLICY = """
schema: policy/1
name: {name}
version: "1"
layers:
  default:
    rules:
      abuse-rule:
        when: scores.abuse >= 0.5
        action: {action}
        code: abuse
        message:
          en: This post is abusive.
"""


@dataclass(frozen=True)
class Judges:
    """Folders and files, as settings name them."""

    live_pack: Path
    other_pack: Path
    live_policy: Path
    other_policy: Path

    def models(self, *, other_pack: bool = False, other_policy: bool = False) -> Models:
        pack = load_pack(self.other_pack if other_pack else self.live_pack)
        policy = load_policy(self.other_policy if other_policy else self.live_policy, pack.thresholds, FEATURES)
        return Models(pack, policy)

    def environment(self) -> dict[str, str]:
        return {"MODSTREAM_PACK": str(self.live_pack), "MODSTREAM_POLICY": str(self.live_policy)}


def write_judges(folder: Path) -> Judges:
    """The live policy blocks abuse, the other one reviews it; the other pack's windows have other token limits."""
    live = write_tiny_pack(folder / "live")
    other = write_tiny_pack(folder / "other", layout={"window_tokens": 16})
    for path, name in ((live, "live"), (other, "other")):
        manifest = json.loads((path / "manifest.json").read_text())
        (path / "manifest.json").write_text(json.dumps({**manifest, "name": name}))
    policies = {"live": "block", "other": "review"}
    for name, action in policies.items():
        (folder / f"{name}.yaml").write_text(POLICY.format(name=name, action=action))
    return Judges(live, other, folder / "live.yaml", folder / "other.yaml")


def ingested(*posts: Post) -> list[Record]:
    outcomes = run_batch(IngestProcessor(), [received(post) for post in posts])
    return [outcome for outcome in outcomes if isinstance(outcome, Record)]


def write_broken_pack(folder: Path) -> Path:
    """It loads, and then has no number to say about any post."""
    write_tiny_pack(folder)
    graph = folder / "text.onnx"
    model = onnx.load(graph)
    for weights in model.graph.initializer:
        if weights.name == "weights":
            values = numpy_helper.to_array(weights)
            weights.CopyFrom(numpy_helper.from_array(np.full_like(values, np.nan), "weights"))
    graph.write_bytes(model.SerializeToString())
    write_manifest(folder, {**tiny_manifest(folder), "name": "broken"})
    return folder
