# syntax=docker/dockerfile:1
#
#   docker build -t modstream .                                CPU, any Linux
#   docker build -t modstream:gpu --build-arg DEVICE=gpu .     NVIDIA GPU: CUDA 13, cuDNN 9, Linux x86_64
#
#   docker run --rm --read-only --tmpfs /tmp -e MODSTREAM_KAFKA__BOOTSTRAP_SERVERS=broker:9092 -p 8080:8080 modstream worker all
#
# It runs as user 10001 and needs no root that can be written: state goes to the volume, scratch to /tmp.
# The image holds no Java: its workers talk to a Kafka that runs elsewhere (infra/compose.yaml starts both).

ARG DEVICE=cpu

FROM python:3.12-slim-bookworm AS base-cpu

# Built for the same CUDA and cuDNN as the onnxruntime-gpu in requirements/gpu.lock; Ubuntu 24.04 has Python 3.12.
FROM nvidia/cuda:13.0.1-cudnn-runtime-ubuntu24.04 AS base-gpu
RUN apt-get update \
    && apt-get install --yes --no-install-recommends python3 \
    && rm -rf /var/lib/apt/lists/*

FROM base-${DEVICE} AS build
ARG DEVICE
# Ubuntu keeps venv in a package of its own; it is needed here only.
RUN if [ "${DEVICE}" = gpu ]; then \
        apt-get update && apt-get install --yes --no-install-recommends python3-venv; \
    fi
WORKDIR /src
COPY requirements/runtime.lock requirements/gpu.lock requirements/
RUN python3 -m venv /opt/modstream \
    && if [ "${DEVICE}" = gpu ]; then lock=gpu; else lock=runtime; fi \
    && /opt/modstream/bin/pip install --no-cache-dir --require-hashes --only-binary :all: \
        -r "requirements/${lock}.lock"
COPY . .
# What built the package has no business where it runs.
RUN /opt/modstream/bin/pip install --no-cache-dir --no-deps --no-build-isolation . \
    && /opt/modstream/bin/pip uninstall --yes hatchling pathspec pluggy trove-classifiers pip

FROM base-${DEVICE}
LABEL org.opencontainers.image.title="modstream" \
      org.opencontainers.image.licenses="Apache-2.0"
# The state (in-flight journal, instance locks) is small, and worth a volume: it tells a restarted worker which message
# took the last one down.
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /var/lib/modstream modstream \
    && install --directory --owner=modstream --group=modstream /var/lib/modstream
COPY --from=build /opt/modstream /opt/modstream
ENV PATH=/opt/modstream/bin:${PATH} \
    PYTHONUNBUFFERED=1 \
    HOME=/var/lib/modstream \
    MODSTREAM_STATE_DIR=/var/lib/modstream \
    MODSTREAM_HTTP__HOST=0.0.0.0 \
    MODSTREAM_HTTP__PORT=8080
VOLUME /var/lib/modstream
# By number: Kubernetes' runAsNonRoot cannot tell what a name stands for.
USER 10001:10001
EXPOSE 8080
# A worker that loads its models is not live yet; then a loop that stands still for long is found within a minute.
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python3", "-c", "import os, urllib.request; urllib.request.urlopen(f\"http://127.0.0.1:{os.environ['MODSTREAM_HTTP__PORT']}/live\", timeout=4)"]
ENTRYPOINT ["modstream"]
CMD ["worker", "all"]
