"""The expert that reads: its network, its training and its graph."""
