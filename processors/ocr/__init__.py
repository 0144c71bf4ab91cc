"""Reading what is written in pictures: PaddleOCR's graphs on our engines, with pre- and post-processing of our own."""

from processors.ocr.options import OcrOptions
from processors.ocr.processor import OcrProcessor, PictureSource
from processors.reading_cache import CacheStatistics

__all__ = ["CacheStatistics", "OcrOptions", "OcrProcessor", "PictureSource"]
