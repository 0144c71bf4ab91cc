"""Where jars come from: Maven Central, or what this machine has in its place, asked by jgo without Maven or Java."""

from __future__ import annotations

import configparser
import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit
from xml.etree import ElementTree

from streams.broker.errors import CONTAINER_ALTERNATIVE, BrokerError
from streams.broker.jars import LockedJar

MIRROR_VARIABLE = "MODSTREAM_MAVEN_MIRROR"
# A connection that breaks or stalls is tried again: the whole list must not fail for one bad moment.
TRIES = 3
# Seconds without a byte.
TIMEOUT_S = 30


def fetch_jar(jar: LockedJar, scratch: Path) -> Path:
    """Get `jar` into the empty folder `scratch` and return its file; its content is not checked here.

    Raises:
        BrokerError: no repository has it or can be reached, or jgo is not installed.
    """
    try:
        from jgo.maven import MavenContext
        from requests import RequestException
    except ImportError as error:
        raise BrokerError(
            "The local broker fetches Kafka's jars with jgo, which is not installed: pip install 'modstream[local]', "
            f"or run Kafka as a container: {CONTAINER_ALTERNATIVE}"
        ) from error

    def fetch_from(name: str, address: str) -> Path | str:
        failure = ""
        for attempt in range(TRIES):
            # A folder of its own for each try: jgo would take half a file of an earlier one for the whole.
            cache = scratch / f"{name}-{attempt}"
            context = MavenContext(repo_cache=cache, remote_repos={name: address}, timeout=TIMEOUT_S)
            try:
                return context.project(jar.group, jar.artifact).at_version(jar.version).artifact().resolve()
            except RequestException as error:
                failure = type(error).__name__
            except RuntimeError:
                # What jgo raises for every answer but 200.
                return "does not serve it"
        return failure

    failures: list[str] = []
    for name, address in repositories(os.environ, Path.home()).items():
        result = fetch_from(name, address)
        if isinstance(result, Path):
            return result
        failures.append(f"{without_credentials(address)}: {result}")
    raise BrokerError(
        f"Kafka's jar {jar} cannot be fetched ({'; '.join(failures)}): connect this machine, name a mirror of Maven "
        f"Central in {MIRROR_VARIABLE} or in ~/.m2/settings.xml, or run Kafka as a container: {CONTAINER_ALTERNATIVE}"
    )


def repositories(environment: Mapping[str, str], home: Path) -> dict[str, str]:
    """Names and addresses to ask, in order.

    MODSTREAM_MAVEN_MIRROR alone where it is set; else Maven Central, or the mirror that ~/.m2/settings.xml puts in its
    place, and the repositories of jgo's own configuration file, whose `central` comes before both.

    Raises:
        BrokerError: one of these files cannot be read.
    """
    from jgo.config import GlobalSettings
    from jgo.constants import MAVEN_CENTRAL_URL

    if mirror := environment.get(MIRROR_VARIABLE):
        return {"mirror": mirror.rstrip("/")}
    try:
        configured = GlobalSettings.load().repositories
    except (configparser.Error, OSError) as error:
        raise BrokerError(f"jgo's configuration file cannot be read: {error}") from error
    central = mirror_of_central(home / ".m2" / "settings.xml") or MAVEN_CENTRAL_URL
    return {"central": central.rstrip("/"), **configured}


def mirror_of_central(settings: Path) -> str | None:
    """The address that Maven's `settings` put in the place of Maven Central, if they do.

    Raises:
        BrokerError: the file is there and is not XML.
    """
    try:
        # Written by the user whose process this is.
        root = ElementTree.parse(settings).getroot()  # noqa: S314
    except FileNotFoundError:
        return None
    except (ElementTree.ParseError, OSError) as error:
        raise BrokerError(f"Maven's settings {settings} cannot be read: {error}") from error
    for mirror in root.iterfind("{*}mirrors/{*}mirror"):
        patterns = {pattern.strip() for pattern in (mirror.findtext("{*}mirrorOf") or "").split(",")}
        address = (mirror.findtext("{*}url") or "").strip()
        if address and patterns & {"*", "central", "external:*"} and "!central" not in patterns:
            return address
    return None


def without_credentials(address: str) -> str:
    """`address` without the user and password that it may hold, for messages."""
    parts = urlsplit(address)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
