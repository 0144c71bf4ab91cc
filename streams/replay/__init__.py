"""Judging a topic's past again, beside the live chain."""
