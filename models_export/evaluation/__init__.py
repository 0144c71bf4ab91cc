"""What a pack can do: labelled suites through the chain's own stages."""
