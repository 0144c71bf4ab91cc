"""The experts that look at pictures."""
