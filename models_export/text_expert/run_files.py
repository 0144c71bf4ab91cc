"""What a training folder holds."""

from __future__ import annotations

EXPERT_FILE = "expert.json"
"""What was fixed when training began: recipe, heads with their rows, each piece's place in the backbone, token ids."""
TOKENIZER_FILE = "tokenizer.json"
STATE_FILE = "state.pt"
"""Weights, averaged weights, optimiser and step; replaced at every save."""
CURVES_FILE = "curves.jsonl"
"""Step and mean loss, every hundred steps."""
