"""A vulnerability passes only with an exception that has a reason and an end, and silence never passes for "none"."""

from __future__ import annotations

import datetime

import pytest

from infra.checks.audit import (
    EXCEPTIONS,
    NO_DATABASE,
    Exempt,
    Finding,
    Report,
    judge,
    read_exceptions,
    read_report,
    rounds,
)

TODAY = datetime.date(2027, 1, 15)
FINDING = Finding("pillow", "12.0.0", ("GHSA-aaaa", "CVE-2027-1"), ("12.0.1",))
FOUND = Report(known=10, unknown=(), findings=(FINDING,))
CLEAN = Report(known=10, unknown=(), findings=())


def exempt(ident: str, package: str = "Pillow", days: int = 0) -> Exempt:
    return Exempt(ident, package, "we never open such a file", TODAY + datetime.timedelta(days=days))


def test_nothing_known_against_any_package_is_fine() -> None:
    outcome = judge(CLEAN, [], TODAY)
    assert (outcome.failed, outcome.skipped) == (False, None)


def test_a_known_vulnerability_fails_and_says_where_it_is_mended() -> None:
    outcome = judge(FOUND, [], TODAY)
    assert outcome.faults == ("pillow 12.0.0 has GHSA-aaaa / CVE-2027-1, mended in 12.0.1",)


@pytest.mark.parametrize("ident", FINDING.ids)
def test_an_exception_goes_by_any_name_of_the_advisory_until_its_last_day(ident: str) -> None:
    assert not judge(FOUND, [exempt(ident)], TODAY).failed
    assert judge(FOUND, [exempt(ident, days=-1)], TODAY).failed


def test_an_exception_is_for_one_package() -> None:
    assert judge(FOUND, [exempt("CVE-2027-1", "numpy")], TODAY).failed


def test_an_exception_that_nothing_needs_is_a_fault() -> None:
    (fault,) = judge(CLEAN, [exempt("CVE-2027-1")], TODAY).faults
    assert "of no use any more" in fault


def test_a_package_that_the_database_does_not_know_is_a_fault() -> None:
    (fault,) = judge(Report(known=9, unknown=("numpyy",), findings=()), [], TODAY).faults
    assert "does not know numpyy" in fault


def test_silence_of_every_database_fails_without_an_exception_for_it() -> None:
    (fault,) = judge(None, [], TODAY).faults
    assert "no database could be asked" in fault


def test_silence_passes_loudly_while_its_exception_lasts() -> None:
    outcome = judge(None, [exempt(NO_DATABASE, "all")], TODAY)
    assert not outcome.failed
    assert outcome.skipped == "no database answers"
    assert outcome.notes[0].startswith("NOTHING WAS AUDITED")
    assert judge(None, [exempt(NO_DATABASE, "all", days=-1)], TODAY).failed


def test_silence_excuses_no_finding() -> None:
    assert judge(FOUND, [exempt(NO_DATABASE, "pillow")], TODAY).failed


def test_a_package_that_was_skipped_counts_as_not_asked() -> None:
    """pip-audit ends with exit code 0 when the database has answered for no package at all."""
    skipped = {"name": "yarl", "skip_reason": "Dependency not found on PyPI and could not be audited: yarl (1.0)"}
    vuln = {"id": "GHSA-b", "aliases": ["CVE-1", "GHSA-b"], "fix_versions": ["2"], "description": "…"}
    asked = {"name": "av", "version": "1", "vulns": [vuln]}
    report = read_report({"dependencies": [skipped, asked], "fixes": []})
    assert report == Report(1, ("yarl",), (Finding("av", "1", ("GHSA-b", "CVE-1"), ("2",)),))


def test_every_version_of_every_lock_is_asked_about_once() -> None:
    texts = ["a==1 \\\n    --hash=sha256:x\nb==2 ; sys_platform == 'win32' \\\n", "a==1 \\\na==3 \\\nc-d==4\n"]
    assert rounds(texts) == [["a==1", "b==2", "c-d==4"], ["a==3"]]


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ('id = "x"\npackage = "y"\nreason = "a good reason"', "expected expires, id, package, reason"),
        ('id = "x"\npackage = "y"\nreason = "a good reason"\nexpires = "soon"', "expected a date"),
        ('id = "x"\npackage = "y"\nreason = "later"\nexpires = 2027-01-31', "says nothing"),
    ],
)
def test_an_exception_must_be_whole(entry: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read_exceptions(f"[[exception]]\n{entry}\n")


def test_the_exceptions_of_this_repository_can_be_read() -> None:
    read_exceptions(EXCEPTIONS.read_text(encoding="utf-8"))
