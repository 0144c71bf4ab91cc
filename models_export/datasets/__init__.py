"""Data sets in one manifest: reading them as published, checks, machine readings of their media, shards."""
