#!/usr/bin/env bash
# Write the lock files anew: exact versions and hashes from pyproject.toml, for Linux (x86_64, aarch64) and macOS 14+
# (arm64), Python 3.11 and later. `make lock` calls this.
#
#   bench.lock    everything but training: `make bench`. Faust has no wheel for some platforms and is built there.
#   dev.lock      `make test`, `make lint`: the runtime, the local Kafka, OTLP, insights and the tools
#   docs.lock     `make docs`
#   infra.lock    `make test-infra`: what dev.lock has, and a browser's driver, audits and schemas
#   local.lock    `make setup`, `make demo`: the runtime, the local Kafka and insights
#   runtime.lock  the container image: the runtime, OTLP and insights
#   gpu.lock      the container image for NVIDIA GPUs (Linux x86_64, Python 3.12)
#   train.lock    `make train`
#   paddle.lock   `make bench`: PaddleOCR, in an environment of its own
#
# One resolution decides: the other files take their versions from bench.lock, so that what is tested is what runs.
# A version stays until a new one is asked for: `requirements/lock.sh --upgrade-package numpy`, or `--upgrade`.
set -euo pipefail
cd "$(dirname "$0")/.."

compile() { # compile NAME ARGUMENT...
    local name=$1
    shift
    .venv/bin/uv pip compile --quiet --generate-hashes --no-header --no-annotate \
        --output-file "requirements/$name.lock" pyproject.toml requirements/build.in "$@"
}

everywhere=(--universal --python-version 3.11)
same=(--constraints requirements/bench.lock)

compile bench "${everywhere[@]}" --extra local --extra otlp --extra insights --extra dev --extra docs --extra infra \
    --extra bench "$@"
compile dev "${everywhere[@]}" "${same[@]}" --extra local --extra otlp --extra insights --extra dev
compile docs "${everywhere[@]}" "${same[@]}" --extra local --extra otlp --extra insights --extra dev --extra docs
compile infra "${everywhere[@]}" "${same[@]}" --extra local --extra otlp --extra insights --extra dev --extra infra
compile local "${everywhere[@]}" "${same[@]}" --extra local --extra insights
compile runtime "${everywhere[@]}" "${same[@]}" --extra otlp --extra insights
compile train "${everywhere[@]}" "${same[@]}" --extra train
compile gpu --python-platform x86_64-manylinux_2_28 --python-version 3.12 "${same[@]}" --extra otlp --extra insights --extra gpu \
    --overrides requirements/gpu.overrides
.venv/bin/uv pip compile --quiet --generate-hashes --no-header --no-annotate "${everywhere[@]}" \
    --output-file requirements/paddle.lock requirements/paddle.in
