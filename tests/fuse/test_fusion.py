"""A pack's fusion judges words and pictures together, and can be left out."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from processors.contract import ProcessingError
from processors.encode import EncodeProcessor
from processors.fuse import FuseProcessor
from processors.fuse.scores import is_of
from processors.pack.features import FEATURES
from processors.pack.processor import PackProcessor
from processors.packs import Pack, PackError, load_pack
from processors.packs.check import Level, check_pack
from processors.policy import parse_policy
from schemas import Decision, EncodeSection, ImageScores, Record, decode_record, encode_record
from tests.fused import LENIENT, Chain, decided
from tests.ingested import ingested, post_of, received
from tests.pictured import Shot, with_pictures
from tests.spoken import Said, beside
from tests.tiny_fusion import add_tiny_fusion
from tests.tiny_image import add_tiny_image
from tests.tiny_pack import write_manifest, write_tiny_pack

RED, PLAIN, DARK = 1.0, 0.0, -1.0


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Pack:
    folder = add_tiny_image(write_tiny_pack(tmp_path_factory.mktemp("packs") / "fusing"))
    return load_pack(add_tiny_fusion(folder))


@pytest.fixture(scope="module")
def chain(pack: Pack) -> Chain:
    return Chain(PackProcessor(pack), EncodeProcessor.of(pack, threads=1))


def fuser_of(pack: Pack, *, fusion: bool = True) -> FuseProcessor:
    policy = parse_policy(LENIENT.encode(), "lenient.yaml", pack.thresholds, FEATURES)
    return FuseProcessor(pack, policy, code="test", fusion=fusion)


def showing(record: Record, *reds: float) -> Record:
    """The record with the image expert's features of each picture."""
    read = record.encode or EncodeSection(logits=np.zeros((0, 3), np.float32), embedding=np.zeros(0, np.float32))
    features = np.zeros((len(reds), 3), np.float32)
    features[:, 0] = reds
    seen = ImageScores(logits=np.full((len(reds), 2), -9.0, np.float32), features=features, engine="LookProvider")
    return replace(record, encode=replace(read, image=seen))


def meme(chain: Chain, line: str, *reds: float, text: str | None = None, confidence: float = 0.95) -> Record:
    shots = [Shot([line] if at == 0 else [], media_id=f"m-{at}", confidence=confidence) for at in range(len(reds))]
    return showing(chain.encoded(with_pictures(*shots, text=text)), *reds)


def judged(pack: Pack, record: Record, *, fusion: bool = True) -> Decision:
    return decided(fuser_of(pack, fusion=fusion), record)


def test_words_and_picture_together_can_mean_what_neither_means_alone(chain: Chain, pack: Pack) -> None:
    decision = judged(pack, meme(chain, "good day", RED))
    assert decision.labels["hate"] == round(1 / (1 + np.exp(-1.0)), 3)
    assert decision.flags == ("hate", "interaction.emergent")
    assert decision.versions.engines["fusion"] == "CPUExecutionProvider"


def test_a_picture_can_take_back_what_its_lines_say_alone(chain: Chain, pack: Pack) -> None:
    decision = judged(pack, meme(chain, "you are all scum", DARK))
    assert decision.labels["hate"] < 0.01
    assert "interaction.neutralised" in decision.flags
    assert decision.modalities["ocr"].score is not None
    assert decision.modalities["ocr"].score > 0.9


def test_labels_that_the_fusion_does_not_know_are_the_highest_of_their_experts(chain: Chain, pack: Pack) -> None:
    record = meme(chain, "you are all scum", DARK)
    with_it, without = judged(pack, record), judged(pack, record, fusion=False)
    assert {**with_it.labels, "hate": 0} == {**without.labels, "hate": 0}


def test_what_the_fusion_was_not_shown_it_cannot_take_back(chain: Chain, pack: Pack) -> None:
    own = judged(pack, meme(chain, "good day", DARK, text="you are all scum"))
    spoken = chain.encoded(beside(with_pictures(Shot(["good day"])), Said("you are all scum")))
    assert own.labels["hate"] > 0.9
    assert judged(pack, showing(spoken, DARK)).labels["hate"] > 0.9


def test_the_switch_leaves_the_highest_score(chain: Chain, pack: Pack) -> None:
    decision = judged(pack, meme(chain, "you are all scum", DARK), fusion=False)
    assert decision.labels["hate"] > 0.9
    assert "fusion" not in decision.versions.engines
    assert not [flag for flag in decision.flags if flag.startswith("interaction.")]


def test_a_picture_without_words_and_words_without_a_picture_are_not_fused(chain: Chain, pack: Pack) -> None:
    alone = judged(pack, showing(chain.encoded(with_pictures(Shot())), RED))
    assert "hate" not in alone.labels
    text = decided(fuser_of(pack), chain.encoded(ingested(received(post_of("you are all scum")))))
    assert text.labels["hate"] > 0.9
    assert "fusion" not in text.versions.engines


def test_harmless_pictures_around_it_do_not_thin_one_out(chain: Chain, pack: Pack) -> None:
    alone = judged(pack, meme(chain, "good day", RED))
    among = judged(pack, meme(chain, "good day", PLAIN, DARK, RED, DARK))
    assert among.labels["hate"] == alone.labels["hate"] > 0.5
    assert "interaction.emergent" in among.flags


def test_what_was_badly_read_is_not_taken_back(chain: Chain, pack: Pack) -> None:
    """Or lines that are hard to read beside a kind picture would be the way past a threshold."""
    threshold = pack.thresholds["hate"]
    badly = judged(pack, meme(chain, "you are all scum", DARK, confidence=0.6))
    assert judged(pack, meme(chain, "you are all scum", DARK)).labels["hate"] < threshold
    assert badly.labels["hate"] > threshold
    assert "hate" in badly.flags
    assert "interaction.neutralised" not in badly.flags


def test_words_of_which_the_fusion_is_shown_one_window_are_not_taken_back(chain: Chain, pack: Pack) -> None:
    long = meme(chain, "you are all scum " + "good day my friend " * 10, DARK)
    assert long.pack is not None
    assert sum(is_of(window, "ocr") for window in long.pack.windows) > 1
    assert judged(pack, long).labels["hate"] > 0.9


def test_hateful_speech_is_not_neutralised_by_a_kind_meme_beside_it(chain: Chain, pack: Pack) -> None:
    spoken = chain.encoded(beside(with_pictures(Shot(["you are all scum"])), Said("you are all scum")))
    decision = judged(pack, showing(spoken, DARK))
    assert decision.labels["hate"] > 0.9
    assert "interaction.neutralised" not in decision.flags


def test_lines_that_were_badly_read_weigh_less_in_it(chain: Chain, pack: Pack) -> None:
    well, badly = (
        judged(pack, meme(chain, "you are all scum", PLAIN, confidence=confidence)) for confidence in (0.95, 0.6)
    )
    assert badly.labels["hate"] < well.labels["hate"]
    assert badly.modalities["ocr"].weight is not None
    assert badly.modalities["ocr"].weight < 1.0


def test_a_pack_without_a_fusion_has_no_embeddings_by_part_in_its_records(chain: Chain, tmp_path: Path) -> None:
    plain = load_pack(add_tiny_image(write_tiny_pack(tmp_path / "plain")))
    record = with_pictures(Shot(["good day"]), text="hello world")
    encoded = Chain(PackProcessor(plain), EncodeProcessor.of(plain, threads=1)).encoded(record)
    assert encoded.encode is not None
    assert encoded.encode.parts == {}
    asked = chain.encoded(record).encode
    assert asked is not None
    assert {part: embedding.shape for part, embedding in asked.parts.items()} == {"text": (8,), "ocr": (8,)}


def test_embeddings_by_part_travel_with_the_record(chain: Chain, pack: Pack) -> None:
    record = meme(chain, "you are all scum", DARK)
    again = decode_record(encode_record(record))
    assert judged(pack, again).labels == judged(pack, record).labels


def test_features_of_another_pack_are_refused(chain: Chain, pack: Pack) -> None:
    record = meme(chain, "good day", RED)
    assert record.encode is not None
    other = replace(record, encode=replace(record.encode, parts={"ocr": np.zeros(5, np.float32)}))
    with pytest.raises(ProcessingError, match="ocr: 5 features; expected the 8 of this worker's pack"):
        fuser_of(pack).prepare(other)


def test_a_graph_that_gives_no_number_fails_the_record(chain: Chain, pack: Pack) -> None:
    with pytest.raises(ProcessingError, match="not finite"):
        fuser_of(pack).prepare(meme(chain, "good day", float("nan")))


def test_a_graph_that_is_not_what_the_manifest_says_is_refused(tmp_path: Path) -> None:
    folder = add_tiny_fusion(add_tiny_image(write_tiny_pack(tmp_path / "odd")), heads=["hate", "abuse"])
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    manifest["fusion"]["labels"]["abuse"] = {"status": "not_assessed"}
    write_manifest(folder, manifest)
    odd = load_pack(folder)
    with pytest.raises(PackError, match=r"fusion\.logits"):
        fuser_of(odd)
    assert [problem.field for problem in check_pack(folder) if problem.level is Level.ERROR] == ["fusion.logits"]


def token(name: str, size: int, dtype: str = "float32") -> dict[str, object]:
    return {"tensor": {"name": name, "dtype": dtype}, "size": size}


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"tokens": {"ocr": token("ocr", 8)}}, r"fusion\.tokens"),
        ({"tokens": {"ocr": token("ocr", 8), "text": token("text", 8)}}, r"fusion\.tokens: .*image and words"),
        ({"tokens": {"ocr": token("weights", 8), "image": token("image", 3)}}, r"fusion\.tokens: .*one tensor each"),
        ({"tokens": {"ocr": token("ocr", 8, "int32"), "image": token("image", 3)}}, r"fusion\.tokens\.ocr.*int32"),
        ({"labels": {"hate": {"status": "not_assessed"}}, "calibration": {}}, r"fusion\.labels: .*at least one"),
        ({"heads": []}, r"fusion\.heads"),
        ({"heads": ["spam"]}, r"fusion\.labels"),
        ({"calibration": {}}, r"fusion\.calibration"),
    ],
)
def test_a_part_that_makes_no_sense_is_refused(tmp_path: Path, changed: dict[str, object], field: str) -> None:
    folder = add_tiny_fusion(add_tiny_image(write_tiny_pack(tmp_path / "odd")), **changed)
    with pytest.raises(PackError, match=field):
        load_pack(folder)


def test_a_fusion_needs_the_experts_that_it_was_trained_on(tmp_path: Path) -> None:
    folder = add_tiny_fusion(write_tiny_pack(tmp_path / "blind"))
    with pytest.raises(PackError, match=r"fusion\.tokens\.image\.size: 3, but the pack has no image expert"):
        load_pack(folder)


def test_a_pack_with_a_fusion_passes_its_check_and_its_graph_is_verified(pack: Pack, tmp_path: Path) -> None:
    assert not [problem for problem in check_pack(pack.folder) if problem.level is Level.ERROR]
    folder = add_tiny_fusion(add_tiny_image(write_tiny_pack(tmp_path / "damaged")))
    (folder / "fusion.onnx").write_bytes((folder / "fusion.onnx").read_bytes() + b" ")
    with pytest.raises(PackError, match=r"fusion\.graph\.bytes"):
        load_pack(folder)
