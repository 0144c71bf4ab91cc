"""What a replay changes: figures and a report over pairs of judgements."""

from models_export.evaluation.replay.compare import Report, compared
from models_export.evaluation.replay.page import report_page

__all__ = ["Report", "compared", "report_page"]
