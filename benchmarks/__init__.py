"""Benchmarks on a real Kafka: `python -m benchmarks --help`."""
