"""Figures of merit, their intervals, and calibration: numpy alone."""
