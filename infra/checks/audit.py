"""Known vulnerabilities of the pinned packages: pip-audit asks, and exceptions have a name and an end.

pip-audit calls a package that the database did not know "skipped", and is content. Where an index answers and its
database does not, every package is skipped: nothing was asked, and that must not pass for "no known vulnerabilities".
"""

from __future__ import annotations

import datetime
import json
import re
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from infra.checks.outcome import ROOT, Outcome
from infra.checks.tools import TIMED_OUT, run

EXCEPTIONS = ROOT / "infra" / "audit-exceptions.toml"
LOCKS = ("bench", "gpu", "train", "paddle")
"""Together they hold every package of every lock."""

SERVICES = ("pypi", "osv")
"""Databases that pip-audit can ask, in this order; the first that answers is enough: they share their advisories."""

NO_DATABASE = "no-database"
"""The `id` of the exception that lets the check pass where no database can be reached."""

_UNREACHABLE = re.compile(r"connect|timed out|name resolution|max retries", re.IGNORECASE)
"""How pip-audit, and the HTTP library under it, say that nobody answers."""

_PIN = re.compile(r"^([a-z0-9._-]+)==([^ ;\\\n]+)", re.MULTILINE)

_FIELDS = {"id", "package", "reason", "expires"}
TIMEOUT_S = 240


@dataclass(frozen=True, slots=True)
class Exempt:
    """A finding that is known and let be until `expires`, its last day."""

    id: str
    package: str
    reason: str
    expires: datetime.date


@dataclass(frozen=True, slots=True)
class Finding:
    """A known vulnerability of a pinned package; `ids` are all the names that it goes by."""

    package: str
    version: str
    ids: tuple[str, ...]
    fixed_in: tuple[str, ...]

    def __str__(self) -> str:
        mended = f"mended in {', '.join(self.fixed_in)}" if self.fixed_in else "nowhere mended yet"
        return f"{self.package} {self.version} has {' / '.join(self.ids)}, {mended}"


@dataclass(frozen=True, slots=True)
class Report:
    """What a database said: how many packages it knew, which not, and what is wrong with those that it knew."""

    known: int
    unknown: tuple[str, ...]
    findings: tuple[Finding, ...]


def read_exceptions(text: str) -> list[Exempt]:
    """Raises ValueError with one sentence for an entry that is not whole."""
    found: list[Exempt] = []
    for entry in tomllib.loads(text).get("exception", []):
        if entry.keys() != _FIELDS:
            raise ValueError(f"an exception has {', '.join(sorted(entry))}: expected {', '.join(sorted(_FIELDS))}")
        if not isinstance(entry["expires"], datetime.date) or isinstance(entry["expires"], datetime.datetime):
            raise ValueError(f"exception {entry['id']}: expires is {entry['expires']!r}: expected a date (2027-01-31)")
        if len(entry["reason"].split()) < 3:
            raise ValueError(f"exception {entry['id']}: the reason {entry['reason']!r} says nothing")
        found.append(Exempt(**entry))
    return found


def read_report(document: Mapping[str, Any]) -> Report:
    """What pip-audit's JSON says."""
    known, unknown, findings = 0, list[str](), list[Finding]()
    for entry in document["dependencies"]:
        if "skip_reason" in entry:
            unknown.append(entry["name"])
            continue
        known += 1
        for vuln in entry["vulns"]:
            ids = (vuln["id"], *sorted(set(vuln.get("aliases", ())) - {vuln["id"]}))
            findings.append(Finding(entry["name"], entry["version"], ids, tuple(vuln["fix_versions"])))
    return Report(known, tuple(unknown), tuple(findings))


def judge(report: Report | None, exceptions: Sequence[Exempt], today: datetime.date) -> Outcome:
    """`report` None: no database answered."""
    name = "known vulnerabilities"
    expired = {e.id for e in exceptions if e.expires < today}
    faults = [f"the exception {e.id} for {e.package} ended on {e.expires}" for e in exceptions if e.id in expired]
    if report is None:
        allowed = next((e for e in exceptions if e.id == NO_DATABASE and e.id not in expired), None)
        if allowed is None:
            return Outcome(
                name, (*faults, "no database could be asked, and no exception allows that: see docs/supply-chain.md")
            )
        said = f"NOTHING WAS AUDITED: no database answers from here, which is allowed until {allowed.expires}"
        return Outcome(name, tuple(faults), skipped="no database answers", notes=(said, allowed.reason))
    used: set[str] = set()
    for finding in report.findings:
        match = next((e for e in exceptions if e.id in finding.ids and _same(e.package, finding.package)), None)
        if match is None:
            faults.append(str(finding))
        else:
            used.add(match.id)
    if report.unknown:
        faults.append(f"the database does not know {', '.join(report.unknown)}: are they what they should be?")
    stale = [e for e in exceptions if e.id not in used and e.id != NO_DATABASE]
    faults += [f"the exception {e.id} for {e.package} is of no use any more: delete it" for e in stale]
    return Outcome(name, tuple(faults), notes=(f"{report.known} packages asked, {len(used)} exceptions used",))


def _same(left: str, right: str) -> bool:
    return canonicalize_name(left) == canonicalize_name(right)


def rounds(texts: Iterable[str]) -> list[list[str]]:
    """Every `name==version` of these locks, in lists that name no package twice: pip-audit takes no more.

    Without their markers: what is installed on other machines counts too.
    """
    versions: dict[str, list[str]] = {}
    for text in texts:
        for name, version in _PIN.findall(text):
            if version not in versions.setdefault(name, []):
                versions[name].append(version)
    most = max(map(len, versions.values()), default=0)
    return [[f"{name}=={found[at]}" for name, found in versions.items() if at < len(found)] for at in range(most)]


def ask(service: str, pins: Iterable[str]) -> Report | None:
    """What a database says of these packages; None when it does not answer.

    Raises RuntimeError with the last line of pip-audit, where it failed for another reason.
    """
    with tempfile.TemporaryDirectory(prefix="modstream-audit-") as folder:
        out, requirements = Path(folder) / "report.json", Path(folder) / "requirements.txt"
        requirements.write_text("".join(f"{pin}\n" for pin in pins), encoding="utf-8")
        options = ("--format", "json", "--output", str(out), "--progress-spinner", "off", "--timeout", "15")
        command = ("pip_audit", "--vulnerability-service", service, "--no-deps", "--disable-pip", *options)
        code, said = run(sys.executable, "-m", *command, "--requirement", str(requirements), timeout_s=TIMEOUT_S)
        if not out.exists() or not out.stat().st_size:
            if code == TIMED_OUT or _UNREACHABLE.search(said):
                return None
            raise RuntimeError(said.splitlines()[-1] if said else f"pip-audit ended with exit code {code}")
        return read_report(json.loads(out.read_text(encoding="utf-8")))


def ask_all(service: str) -> Report | None:
    """The same of every package of every lock; None too when the database knows none of them, or falls silent."""
    texts = [(ROOT / "requirements" / f"{lock}.lock").read_text(encoding="utf-8") for lock in LOCKS]
    reports: list[Report] = []
    for pins in rounds(texts):
        if (report := ask(service, pins)) is None:
            return None
        reports.append(report)
    whole = Report(
        sum(report.known for report in reports),
        tuple(name for report in reports for name in report.unknown),
        tuple(finding for report in reports for finding in report.findings),
    )
    return whole if whole.known else None


def audit() -> Outcome:
    """Ask the databases in turn, and judge what the first that answers says."""
    try:
        exceptions = read_exceptions(EXCEPTIONS.read_text(encoding="utf-8"))
    except ValueError as error:
        return Outcome("known vulnerabilities", (f"{EXCEPTIONS.name}: {error}",))
    try:
        report = next((found for service in SERVICES if (found := ask_all(service)) is not None), None)
    except RuntimeError as error:
        return Outcome("known vulnerabilities", (f"pip-audit failed: {error}",))
    return judge(report, exceptions, datetime.datetime.now(datetime.UTC).date())
