"""Model packs: their manifest, loading and verification."""

from processors.packs.manifest import MANIFEST_FILE, PACK_SCHEMA, Manifest
from processors.packs.pack import Expert, LanguageStatus, Pack, PackError, load_pack

__all__ = ["MANIFEST_FILE", "PACK_SCHEMA", "Expert", "LanguageStatus", "Manifest", "Pack", "PackError", "load_pack"]
