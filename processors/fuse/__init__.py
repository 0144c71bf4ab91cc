"""Stage `fuse`: calibrated probabilities, the policy's verdict, and the decision with its evidence."""

from processors.fuse.evidence import EvidenceLimits
from processors.fuse.messages import DecisionMessages, confidence_of, decision_messages, trim_evidence
from processors.fuse.processor import FuseProcessor

__all__ = [
    "DecisionMessages",
    "EvidenceLimits",
    "FuseProcessor",
    "confidence_of",
    "decision_messages",
    "trim_evidence",
]
