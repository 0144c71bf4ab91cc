"""The head learns what its segments show, and its graph says what it says."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray

from models_export.audio_head.features import Spoken

torch = pytest.importorskip("torch")

from models_export.audio_head.build import FIGURES_FILE, GRAPH_FILE, make_from  # noqa: E402
from models_export.audio_head.clips import Clip  # noqa: E402
from models_export.audio_head.export import CONFIDENCES, FEATURES, OUTPUT, write_graph  # noqa: E402
from models_export.audio_head.network import AudioHead  # noqa: E402
from models_export.audio_head.train import Clips, Recipe, fit, held_out, logits_of  # noqa: E402
from models_export.measures.calibrate import Calibration  # noqa: E402
from models_export.measures.metrics import ranking_quality  # noqa: E402
from processors.engines import OnnxEngine  # noqa: E402
from tests.tiny_pack import write_tiny_pack  # noqa: E402

WIDTH = 8
QUICK = Recipe(hidden=8, epochs=30, learning_rate=1e-2)


def clips(count: int = 240, seed: int = 0) -> Clips:
    """Of one to three segments each; a clip is positive where the first feature of any of them is high."""
    draw = np.random.default_rng(seed)
    spoken: list[Spoken] = []
    for _ in range(count):
        segments = int(draw.integers(1, 4))
        features = draw.normal(size=(segments, WIDTH)).astype(np.float32)
        spoken.append(Spoken(features, np.full(segments, 0.9, np.float32), "words"))
    truth = np.array([[one.features[:, 0].max() > 0.7, np.nan] for one in spoken], np.float32)
    truth[::2, 1] = draw.integers(0, 2, len(truth[::2]))
    return Clips(spoken, truth, np.array([f"g{seed}-{at}" for at in range(count)]))


def head(labels: int = 3) -> AudioHead:
    torch.manual_seed(5)
    return AudioHead(torch.randn(WIDTH), torch.rand(WIDTH) + 0.5, 6, labels, 0.5).eval()


def answers(head: AudioHead, features: NDArray[np.float32], confidences: NDArray[np.float32]) -> NDArray[np.float32]:
    with torch.no_grad():
        return head(torch.from_numpy(features), torch.from_numpy(confidences)).numpy()


def test_a_head_learns_which_clips_have_a_telling_segment() -> None:
    seen, unseen = clips(), clips(seed=1)
    fitted = fit(seen, QUICK)
    assert ranking_quality(logits_of(fitted, unseen.spoken)[:, 0].astype(float), unseen.truth[:, 0] == 1) > 0.85


def test_the_same_seed_gives_the_same_head() -> None:
    seen = clips(count=80)
    first, again, other = (fit(seen, Recipe(hidden=4, epochs=2, seed=seed)) for seed in (1, 1, 2))
    assert torch.equal(first.head.weight, again.head.weight)
    assert not torch.equal(first.head.weight, other.head.weight)


def test_a_clip_is_as_bad_as_its_worst_segment() -> None:
    one = clips(count=5).spoken
    together = Spoken(
        np.concatenate([part.features for part in one]), np.concatenate([part.confidences for part in one]), ""
    )
    assert logits_of(head(), [together])[0] == pytest.approx(logits_of(head(), one).max(axis=0), abs=1e-5)


def test_what_is_not_judged_teaches_nothing() -> None:
    seen = clips(count=80)
    unknown = Clips(seen.spoken, np.column_stack([seen.truth[:, :1], np.full(80, np.nan, np.float32)]), seen.groups)
    fitted = fit(unknown, Recipe(hidden=4, epochs=3))
    assert np.isfinite(fitted.head.weight.detach().numpy()).all()


def test_clips_of_one_group_cannot_be_held_out() -> None:
    seen = clips(count=20)
    with pytest.raises(ValueError, match="too few groups"):
        fit(Clips(seen.spoken, seen.truth, np.array(["same"] * 20)), QUICK)


def test_groups_are_held_out_whole_and_as_many_as_asked() -> None:
    names = np.array([f"g{at // 2}" for at in range(2_000)])
    held = held_out(names, 0.15)
    assert (held[::2] == held[1::2]).all()
    assert held.mean() == pytest.approx(0.15, abs=0.03)


def test_what_was_hardly_understood_is_the_average() -> None:
    features = np.random.default_rng(1).normal(size=(4, WIDTH)).astype(np.float32)
    found = answers(head(), features, np.zeros(4, np.float32))
    assert found == pytest.approx(np.tile(found[0], (4, 1)))
    assert answers(head(), features, np.ones(4, np.float32)).std(axis=0).min() > 0.01


def test_a_feature_that_never_varies_divides_by_nothing() -> None:
    still = AudioHead(torch.zeros(WIDTH), torch.zeros(WIDTH), 4, 1, 0.0).eval()
    assert np.isfinite(answers(still, np.ones((2, WIDTH), np.float32), np.ones(2, np.float32))).all()


def test_the_graph_says_what_the_head_says(tmp_path: Path) -> None:
    draw = np.random.default_rng(2)
    features = draw.normal(size=(7, WIDTH)).astype(np.float32)
    confidences = draw.random(7, np.float32)
    calibrations = [Calibration(), Calibration(2.0, 0.0), Calibration(0.5, -1.0)]
    own = head(labels=len(calibrations))
    path = tmp_path / "audio.onnx"
    onnx.save(write_graph({name: value.numpy() for name, value in own.state_dict().items()}, calibrations), path)
    said = OnnxEngine(path).run({FEATURES: features, CONFIDENCES: confidences})[OUTPUT]
    expected = answers(own, features, confidences)
    for at, one in enumerate(calibrations):
        assert said[:, at] == pytest.approx((expected[:, at] + one.bias) / one.temperature, abs=1e-5)


def labelled(count: int, *, judged: bool = True) -> tuple[list[Clip], list[Spoken]]:
    """Clips whose words and first feature tell abuse; in every tenth nothing was heard."""
    draw = np.random.default_rng(4)
    told: list[Clip] = []
    heard: list[Spoken] = []
    for at in range(count):
        bad = at % 2 == 1
        words = "you are scum" if bad else "the cat sat on the mat"
        segments = 0 if at % 10 == 0 else 1
        features = draw.normal(size=(segments, WIDTH)).astype(np.float32) + 2 * bad
        told.append(
            Clip(f"c{at}", Path(f"c{at}"), at % 3 > 0, {"abuse": int(bad)} if judged else {}, words, "en", f"g{at}")
        )
        heard.append(Spoken(features, np.ones(segments, np.float32), words if segments else ""))
    return told, heard


def test_a_head_leaves_its_figures_and_its_graph(tmp_path: Path) -> None:
    pack = write_tiny_pack(tmp_path / "pack")
    told, heard = labelled(300)
    shown = make_from(pack, told, heard, tmp_path / "out", QUICK, threads=1)
    figures = json.loads((tmp_path / "out" / FIGURES_FILE).read_text(encoding="utf-8"))
    assert figures["clips"] == {"train": 180, "dev": 90, "nothing_heard": 30}
    assert figures["word_error_rate"] == 0
    assert list(figures["labels"]) == ["abuse"]
    # The words tell all there is to tell: a head cannot help, however good it is.
    assert figures["labels"]["abuse"]["judged_by"]["audio"]["auc"]["value"] > 0.9
    assert figures["labels"]["abuse"]["helps"] is False
    assert figures["labels"]["abuse"]["calibration"]["calibrated"]
    assert "abuse: 90 dev clips" in shown
    spoken = heard[1]
    said = OnnxEngine(tmp_path / "out" / GRAPH_FILE).run({FEATURES: spoken.features, CONFIDENCES: spoken.confidences})[
        OUTPUT
    ]
    assert said.shape == (1, 1)


def test_clips_that_nobody_judged_teach_nothing(tmp_path: Path) -> None:
    told, heard = labelled(60, judged=False)
    with pytest.raises(ValueError, match="no label of the pack's text expert has enough clips"):
        make_from(write_tiny_pack(tmp_path / "pack"), told, heard, tmp_path / "out", QUICK, threads=1)
