"""What people watch: dashboards, recording rules and alerts, all made from the catalogue of metrics."""

from __future__ import annotations
