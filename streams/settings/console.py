"""Settings of the console: the page for operators and reviewers, and who may see what on it."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from streams.settings.private import Secret


class ConsoleSettings(Struct, frozen=True, kw_only=True):
    """The page that `modstream up` and `modstream console` serve."""

    host: Annotated[
        str,
        Meta(
            pattern=r"^\S+\Z",
            title="a host name or an address",
            description="Address to listen on. Anywhere but on loopback, `console.tokens` must be set: the page shows "
            "posts.",
        ),
    ] = "127.0.0.1"
    port: Annotated[
        int,
        Meta(
            ge=0,
            le=65_535,
            description="Port to listen on; 0 takes a free one. `modstream up` takes a free one too where this is not.",
        ),
    ] = 8090
    tokens: (
        Annotated[
            Secret,
            Meta(
                title="TOKEN=NAME:ROLE, several with commas between; roles are viewer, reviewer and operator",
                description="Who may come in: `TOKEN=NAME:ROLE`, several with commas between. `viewer` sees figures "
                "and decisions without content, `reviewer` also posts, and gives feedback, `operator` also dead "
                "letters. A token has at least 16 letters, digits, `-`, `_` or `.`. Without any, whoever reaches the "
                "loopback address is an operator.",
            ),
        ]
        | None
    ) = None
    https: Annotated[
        bool,
        Meta(
            description="Whether browsers reach the page through a proxy that speaks TLS: the cookie of a session is "
            "then never sent without it."
        ),
    ] = False
    session_hours: Annotated[
        float,
        Meta(gt=0, le=720, description="After so long a browser has to sign in again: a long working day by default."),
    ] = 12.0
    workers: Annotated[
        tuple[str, ...],
        Meta(
            max_length=100,
            description="Base addresses of the workers whose `/metrics` are shown, such as `http://127.0.0.1:8080`. A "
            "host name that has several addresses (a headless service of Kubernetes) is all of them. `modstream up` "
            "names its own.",
        ),
    ] = ()
    scrape_interval_s: Annotated[
        float,
        Meta(ge=0.2, le=60, description="How often the workers are asked for their metrics: once a second feels live."),
    ] = 1.0
    lag_interval_s: Annotated[
        float,
        Meta(
            ge=0.5,
            le=300,
            description="How often the cluster is asked how far the chain is behind: a look at every partition costs "
            "the brokers some requests.",
        ),
    ] = 2.0
    rate_window_s: Annotated[
        float,
        Meta(ge=1, le=300, description="Rates are those of the last so many seconds: short enough to see a stop."),
    ] = 10.0
    latency_window_s: Annotated[
        float,
        Meta(
            ge=1,
            le=900,
            description="Percentiles are those of the last so many seconds: a 99th percentile needs hundreds of posts.",
        ),
    ] = 60.0
    keep: Annotated[
        int,
        Meta(
            ge=10,
            le=1_000_000,
            description="Newest decisions that are held to be listed and found at once, and as many flags and dead "
            "letters; about a kilobyte each.",
        ),
    ] = 5_000
    search_messages: Annotated[
        int,
        Meta(
            ge=100,
            le=10_000_000,
            description="Messages of a partition that are read, from its end, to find an older post; some 50,000 take "
            "a second.",
        ),
    ] = 50_000
    max_streams: Annotated[
        int,
        Meta(ge=1, le=10_000, description="Pages that may follow the live figures at the same time."),
    ] = 64
