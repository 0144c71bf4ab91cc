"""Stage `ingest`: a valid post's text fields are normalised, its language is found, its route is fixed."""

from processors.ingest.processor import IngestProcessor

__all__ = ["IngestProcessor"]
