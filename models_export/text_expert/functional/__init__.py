"""Sentences of our own that teach what tells hate from its look-alikes: negation, quotation, counter-speech, identity
terms in benign frames, insults that aim at nobody's identity. One YAML file for each language; docs/training.md
says how they are written."""

from __future__ import annotations

from models_export.text_expert.functional.drawing import Functional, all_templates
from models_export.text_expert.functional.templates import KINDS, Template, TemplateError, Templates, read_templates

__all__ = ["KINDS", "Functional", "Template", "TemplateError", "Templates", "all_templates", "read_templates"]
