"""Changing a definition's text in places leaves the rest as it was written."""

from __future__ import annotations

import pytest

from campaigns import source
from campaigns.editing import Unreadable, changed, value_at
from campaigns.parse import read
from campaigns.ready_made import library


@pytest.mark.parametrize("name", sorted(library()))
def test_what_nobody_changes_stays_letter_by_letter(name: str) -> None:
    text = library()[name].read_text(encoding="utf-8")
    assert changed(text, {}) == text
    title = changed(text, {("title",): "別の題"})
    assert [a for a, b in zip(text.split("\n"), title.split("\n"), strict=True) if a != b] == [
        next(line for line in text.split("\n") if line.startswith("title:"))
    ]


def test_what_is_put_in_and_taken_out_means_what_was_said() -> None:
    text = library()["three-arm-trial"].read_text(encoding="utf-8")
    after = changed(
        text,
        {
            ("select", "kinds"): ["care_insurance", "other"],
            ("select", "days_since_due", "max"): 90,
            ("select", "days_since_due", "min"): None,
            ("hours", "saturday", 0, "opens"): "09:00",
            ("hours", "saturday", 0, "closes"): "12:00",
            ("caps", "per_7_days"): 2,
            ("steps", 0, "start", "at"): "11:00",
            ("messages", "sms-first"): None,
        },
    )
    value = source.read(after, "x")[0].value
    assert value_at(value, ("select", "kinds")) == ["care_insurance", "other"]
    assert value_at(value, ("select", "days_since_due")) == {"max": 90}
    assert value_at(value, ("hours", "saturday")) == [{"opens": "09:00", "closes": "12:00"}]
    assert value_at(value, ("steps", 0, "start", "at")) == "11:00"
    # the comments of what was changed are where they were
    assert "# period を書かないと" in after and "# 納期限の翌日から" in after
    read(changed(text, {("title",): "a: b # c"}), "x")  # quoted where it must be


def test_items_are_added_and_removed() -> None:
    text = "steps:\n  - name: a\n  - name: b\n  - name: c\n"
    assert changed(text, {("steps", 1): None}) == "steps:\n  - name: a\n  - name: c\n"
    both = changed(text, {("steps", 0): None, ("steps", 2): None})
    assert source.read(both, "x")[0].value == {"steps": [{"name": "b"}]}
    more = changed(text, {("steps", 3): {"name": "d", "channel": "sms"}})
    assert source.read(more, "x")[0].value["steps"][3] == {"name": "d", "channel": "sms"}
    assert changed("a: 1\nb:\n  c: 2\n", {("b", "c"): None}) == "a: 1\n"


@pytest.mark.parametrize("text", ["a: [", "- a\n", "a: b: c\n", "just words\n", "\x00"])
def test_what_is_no_mapping_is_refused(text: str) -> None:
    with pytest.raises(Unreadable):
        changed(text, {("title",): "x"})
