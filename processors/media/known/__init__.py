"""Lists of known content: exact and perceptual hashes of what a platform has judged before."""

from processors.media.known.hash_file import KnownListError
from processors.media.known.lists import KnownLists

__all__ = ["KnownListError", "KnownLists"]
