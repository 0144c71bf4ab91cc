"""What is held out stays out of training, and what is ours to split is split evenly."""

from __future__ import annotations

import pytest

from models_export.datasets.splits import DEV_SHARE, deal, hold_out, main_class, placed
from tests.datasets.made import distinct, judged, picture, row

SUN = "0f" * 32
MOON = "f0" * 32


def test_a_training_text_that_is_nearly_held_out_is_excluded_with_its_reason() -> None:
    long = "a long walk along the river with many stops for tea and for cake and for the view from the old bridge"
    rows = hold_out([row("a", text=long), row("b", text=f"{long}s!", split="dev"), row("c", text="something else")])
    assert [one.split for one in rows] == ["excluded", "dev", "train"]
    assert rows[0].excluded == "text nearly as in made:b of dev; was train"


def test_dev_gives_way_to_diagnostic() -> None:
    rows = hold_out(
        [row("a", text="proud of our town", split="dev"), row("b", text="Proud of our town.", split="diagnostic")]
    )
    assert [one.split for one in rows] == ["excluded", "diagnostic"]


def test_a_picture_nearly_the_same_is_excluded_and_one_caption_under_two_pictures_is_not() -> None:
    near = SUN[:-1] + "e"
    rows = hold_out(
        [
            row("a", text="one caption", media=picture("a.png", SUN)),
            row("b", text="another caption", media=picture("b.png", near), split="dev"),
            row("c", text="another caption", media=picture("c.png", MOON)),
        ]
    )
    assert [one.split for one in rows] == ["excluded", "dev", "train"]


def test_a_picture_whose_hash_says_little_is_not_compared_by_it() -> None:
    flat = picture("a.png", SUN)[0]
    poor = (type(flat)(path="a.png", sha256=flat.sha256, pdq=SUN, pdq_quality=10),)
    rows = hold_out([row("a", text="", media=poor), row("b", text="", media=poor, split="dev")])
    assert [one.split for one in rows] == ["train", "dev"]


def test_dealing_keeps_classes_even_and_depends_on_ids_alone() -> None:
    rows = [judged(str(at), hate=at % 5 == 0, text=distinct(at)) for at in range(500)]
    dealt = deal(rows)
    assert {one.split_by for one in dealt} == {"us"}
    for hate in (True, False):
        of_class = [one for one in dealt if one.labels.labels["hate"] is hate]
        share = sum(one.split == "dev" for one in of_class) / len(of_class)
        assert abs(share - DEV_SHARE) < 0.01
    again = {one.id: one.split for one in deal(rows[::-1])}
    assert again == {one.id: one.split for one in dealt}


@pytest.mark.parametrize("name", ["g", "h", "k", "m"])
def test_a_group_of_several_classes_counts_as_the_rarest(name: str) -> None:
    rows = [judged(str(at), hate=False, text=distinct(at)) for at in range(400)]
    for at in range(40):
        both = {"group": str(at)}
        rows.append(judged(f"{name}{at}", hate=True, text=distinct(1000 + at), **both))
        rows.append(judged(f"{name}-{at}", hate=False, text=distinct(2000 + at), **both))
    hateful = [one.split for one in deal(rows) if one.labels.labels["hate"]]
    assert hateful.count("dev") == DEV_SHARE * 40


def test_what_belongs_together_is_dealt_together() -> None:
    rows = [judged(str(at), hate=False, text=distinct(at // 4)) for at in range(200)]
    rows += [judged(f"g{at}", hate=False, text=distinct(1000 + at), group=str(at // 4)) for at in range(200)]
    splits = [one.split for one in deal(rows)]
    assert "dev" in splits
    assert all(len(set(splits[at : at + 4])) == 1 for at in range(0, len(splits), 4))


def test_a_text_that_another_set_has_goes_where_it_is_there() -> None:
    rows = [judged(str(at), hate=False, text=distinct(at)) for at in range(100)]
    elsewhere = placed(
        [
            *(row(f"t{at}", text=distinct(at).upper()) for at in range(40)),
            *(row(f"d{at}", text=distinct(at), split="dev") for at in range(38, 44)),
        ]
    )
    splits = [one.split for one in deal(rows, elsewhere)]
    assert splits[:38] == ["train"] * 38
    assert splits[38:44] == ["dev"] * 6
    assert splits.count("dev") == 10


def test_the_main_class_is_hate_where_that_is_judged() -> None:
    assert main_class(judged("a", hate=True)) == "hate True"
    assert main_class(row("b")) == "not judged"
