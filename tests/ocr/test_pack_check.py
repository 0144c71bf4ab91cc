"""What `modstream pack check` finds about reading."""

from __future__ import annotations

from dataclasses import replace as replace_fields

from msgspec.structs import replace

from processors.ocr.pack_check import check_reading
from processors.packs import Pack


def test_the_embedded_pack_reads(embedded: Pack) -> None:
    assert list(check_reading(embedded)) == []


def test_a_script_that_the_recogniser_lacks_is_told(embedded: Pack) -> None:
    part = embedded.manifest.ocr
    assert part is not None
    boasting = replace(embedded.manifest, ocr=replace(part, reads=(*part.reads, "Thai")))
    ((field, problem),) = check_reading(replace_fields(embedded, manifest=boasting))
    assert field == "ocr.reads"
    assert problem.startswith("Thai, but the recogniser lacks letters of it")


def test_graphs_in_the_wrong_place_are_told(embedded: Pack) -> None:
    part = embedded.manifest.ocr
    assert part is not None
    crossed = replace(embedded.manifest, ocr=replace(part, detection=part.recognition, recognition=part.detection))
    ((field, problem),) = check_reading(replace_fields(embedded, manifest=crossed))
    assert field is None
    assert "inference.yml" in problem
