"""Stage `encode`: windows through the text expert, pictures through the image expert."""

from processors.encode.attribution import AttributionOptions, Attributor
from processors.encode.expert import TextExpertModel, check_signature, open_expert, runner_for
from processors.encode.image import ImageExpertModel, ImageRunner, check_image_signature, open_image_expert
from processors.encode.picture import cut_out
from processors.encode.processor import EncodeProcessor

__all__ = [
    "AttributionOptions",
    "Attributor",
    "EncodeProcessor",
    "ImageExpertModel",
    "ImageRunner",
    "TextExpertModel",
    "check_image_signature",
    "check_signature",
    "cut_out",
    "open_expert",
    "open_image_expert",
    "runner_for",
]
