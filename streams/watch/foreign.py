"""Metrics that others serve, and that our dashboards and alerts read."""

from __future__ import annotations

from streams.metrics.specs import CounterSpec, GaugeSpec, Spec

JOB = "modstream"
"""The name of the scrape job that holds all workers of the chain."""

UP = GaugeSpec("up", "1 where Prometheus' last scrape of a target succeeded.")

RESIDENT_BYTES = GaugeSpec("process_resident_memory_bytes", "Memory of a process, by the client library.")
CPU_SECONDS = CounterSpec("process_cpu_seconds_total", "Time of all cores of a process, by the client library.")

GPU_UTILISATION = GaugeSpec(
    "DCGM_FI_DEV_GPU_UTIL", "Per cent of the time in which a kernel ran, by NVIDIA's DCGM exporter.", ("gpu",)
)
GPU_MEMORY_MIB = GaugeSpec("DCGM_FI_DEV_FB_USED", "Memory in use on a GPU, MiB, by NVIDIA's DCGM exporter.", ("gpu",))

GPU: tuple[Spec, ...] = (GPU_UTILISATION, GPU_MEMORY_MIB)
"""There only where a node has an NVIDIA GPU and runs the DCGM exporter."""
