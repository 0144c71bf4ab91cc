"""Stage `encode`: windows through the text expert."""

from processors.encode.expert import TextExpertModel, check_signature, open_expert, runner_for
from processors.encode.processor import EncodeProcessor

__all__ = ["EncodeProcessor", "TextExpertModel", "check_signature", "open_expert", "runner_for"]
