"""PaddleOCR as its users call it: `python -m benchmarks.subjects.paddleocr_reader MODELS THREADS`.

Runs in an environment of its own (requirements/paddle.in), so nothing of this project is imported here. MODELS has the
graphs in `detection/` and `recognition/`. Input and output are those of `ocr_stage`; PaddleOCR reads the files itself.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import TextIO

import yaml
from paddleocr import PaddleOCR

DETECTION_SIDE = 1_024
"""Long side at which lines are looked for, in pixels: the stage's default, at most."""
MIN_CONFIDENCE = 0.5
"""Lines read with less are left out, as the stage does by default. They are read all the same."""


def reader(models: Path, threads: int) -> PaddleOCR:
    return PaddleOCR(
        text_detection_model_name=name(models / "detection"),
        text_detection_model_dir=str(models / "detection"),
        text_recognition_model_name=name(models / "recognition"),
        text_recognition_model_dir=str(models / "recognition"),
        use_doc_orientation_classify=False,
        use_doc_unwarping=False,
        use_textline_orientation=False,
        text_det_limit_side_len=DETECTION_SIDE,
        text_det_limit_type="max",
        text_rec_score_thresh=MIN_CONFIDENCE,
        engine="onnxruntime",
        engine_config={"intra_op_num_threads": threads, "inter_op_num_threads": 1},
    )


def name(folder: Path) -> str:
    """What PaddleOCR calls the model in this folder: it insists on hearing it."""
    return yaml.safe_load((folder / "inference.yml").read_text(encoding="utf-8"))["Global"]["model_name"]


def main(models: Path, threads: int, answers: TextIO) -> None:
    ocr = reader(models, threads)
    print("ready", file=answers, flush=True)
    for question in sys.stdin:
        files = json.loads(question)
        began, cpu_before = time.perf_counter(), time.process_time()
        results = list(ocr.predict(files))
        seconds, cpu_s = time.perf_counter() - began, time.process_time() - cpu_before
        answer = {"seconds": seconds, "cpu_s": cpu_s, "lines": [list(result["rec_texts"]) for result in results]}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    # Only answers go to standard output, whatever the libraries print.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    main(Path(sys.argv[1]), int(sys.argv[2]), answers)
