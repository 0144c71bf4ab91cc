"""The labelled suite of clips with sound: what the chain's fetch and ASR stages hear, against transcripts."""

from __future__ import annotations

from models_export.evaluation.asr_suite.baseline import hear_with_faster_whisper, samples_of
from models_export.evaluation.asr_suite.figures import Runs, report_of
from models_export.evaluation.asr_suite.hearing import ROUTE, Hearing, fetch_all, hear_all
from models_export.evaluation.asr_suite.made import make_mixed, make_speechless
from models_export.evaluation.asr_suite.page import page_of
from models_export.evaluation.asr_suite.prediction import encode_prediction
from models_export.evaluation.asr_suite.report import Figures, Report
from models_export.evaluation.asr_suite.samples import Clip, read_clips

__all__ = [
    "ROUTE",
    "Clip",
    "Figures",
    "Hearing",
    "Report",
    "Runs",
    "encode_prediction",
    "fetch_all",
    "hear_all",
    "hear_with_faster_whisper",
    "make_mixed",
    "make_speechless",
    "page_of",
    "read_clips",
    "report_of",
    "samples_of",
]
