"""The labelled suite of pictures with writing: what the chain's fetch and OCR stages read, against transcripts."""

from __future__ import annotations

from models_export.evaluation.ocr_suite.figures import Figures, Report, report_of
from models_export.evaluation.ocr_suite.page import page_of, to_show
from models_export.evaluation.ocr_suite.prediction import encode_prediction
from models_export.evaluation.ocr_suite.reading import ROUTE, Reading, Seconds, read_all
from models_export.evaluation.ocr_suite.samples import Sample, read_samples

__all__ = [
    "ROUTE",
    "Figures",
    "Reading",
    "Report",
    "Sample",
    "Seconds",
    "encode_prediction",
    "page_of",
    "read_all",
    "read_samples",
    "report_of",
    "to_show",
]
