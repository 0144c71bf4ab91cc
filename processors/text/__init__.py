"""Text: its views (normalised, with disguises undone), their offsets, its language, and the model's view of it."""

from processors.text.fold import folded_view
from processors.text.normalise import is_readable, text_view
from processors.text.views import field_view

__all__ = ["field_view", "folded_view", "is_readable", "text_view"]
