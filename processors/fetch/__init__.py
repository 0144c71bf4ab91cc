"""Stage `fetch`: a post's media are fetched, recognised, decoded and stored, and its route is fixed."""

from processors.fetch.options import FetchOptions
from processors.fetch.processor import FetchProcessor

__all__ = ["FetchOptions", "FetchProcessor"]
