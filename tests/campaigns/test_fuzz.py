"""Whatever is in the file: faults with places, never another exception, and soon."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from campaigns.faults import DefinitionErrors
from campaigns.parse import MAX_FAULTS, parse, parse_file
from tests.campaigns.mutation import TRIAL
from tests.campaigns.whole import WHOLE

#: The same, with conditions of every kind, nested and named.
NESTED = (
    TRIAL.replace(
        "select:\n",
        """select:
  use: [small, late]
  any:
    - promises: [broken]
    - all:
        - has_mobile: true
        - household_size: {min: 2, max: 4}
      not:
        - last_outcomes: [opted_out, delivered]
  not:
    - sms_contacts: {min: 4}
      instalments: {max: 3}
""",
    )
    + """
selections:
  small: {claim_outstanding_yen: {max: 10000}}
  late:
    use: [small]
    any: [{days_since_demand: {min: 30}}, {period: carried_over}]
"""
)
#: What mutations begin with: a definition as staff write it, and one with all the language has.
STARTS = st.sampled_from((TRIAL, WHOLE))
SPLICES = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        [
            "&a ", "*a", "<<: *a", "!!python/object/apply:os.system [x]", "!!binary x", "? ", "- ",
            ": ", "[", "]", "{", "}", "|", ">", "'", '"', "#", "%TAG", "---\n", "...\n", "\t",
            "\n", "\r", "\x85", "\u2028", "\ufeff", "\x00", "~", "null", "true", "1e999", ".inf",
            "0x1F", "1_000", "99999999999999999999999", "-1", "2026-13-45", "25:99", "{office.a}",
            "\\ud800", "😀", "[[[[[[[[[[[[[[[[[[[[[[",
        ]
    ),
)  # fmt: skip
QUICK = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def refused_or_read(text: str) -> None:
    """Parse; the only exception let through is the one that staff can read."""
    lines = text.replace("\r\n", "\n").count("\n") + text.count("\r") + 3
    try:
        parse(text, "fuzz.yaml")
    except DefinitionErrors as errors:
        assert 0 < len(errors.faults) <= 2 * MAX_FAULTS
        for fault in errors.faults:
            assert 1 <= fault.line <= lines + text.count("\x85") + text.count("\u2028")
            assert fault.column >= 1
            assert fault.message_ja
            assert fault.message_en


@QUICK
@given(
    STARTS,
    st.lists(st.tuples(st.integers(0, len(WHOLE)), st.integers(0, 30), SPLICES), max_size=4),
)
def test_a_mutated_definition(text: str, changes: list[tuple[int, int, str]]) -> None:
    for place, cut, splice in changes:
        at = place % (len(text) + 1)
        text = text[:at] + splice + text[at + cut :]
    refused_or_read(text)


SELECT = NESTED.index("select:"), NESTED.index("hours:")
NAMED = NESTED.index("\nselections:"), len(NESTED)


def test_the_nested_definition_is_valid() -> None:
    assert parse(NESTED, "nested.yaml").whom.use == ("small", "late")


@QUICK
@given(
    st.lists(
        st.tuples(
            st.one_of(st.integers(*SELECT), st.integers(*NAMED)),
            st.integers(0, 30),
            SPLICES
            | st.sampled_from(
                ["small", "late", "use: [late]", "any: []", "not: [{}]", "any: {}", "{min: 9, max: 1}",
                 "all:\n    - ", "selections: ", "has_mobile: ", "- ", "\n  "]
            ),
        ),
        max_size=4,
    )
)  # fmt: skip
def test_mutated_conditions(changes: list[tuple[int, int, str]]) -> None:
    text = NESTED
    for at, cut, splice in changes:
        text = text[:at] + splice + text[at + cut :]
    refused_or_read(text)


@QUICK
@given(
    STARTS.map(lambda text: text.splitlines(keepends=True)).flatmap(
        lambda lines: st.lists(st.sampled_from(lines), min_size=1, max_size=len(lines))
    )
)
def test_lines_dropped_doubled_and_moved(lines: list[str]) -> None:
    refused_or_read("".join(lines))


@QUICK
@given(
    STARTS,
    st.dictionaries(
        st.sampled_from(
            [
                "select",
                "selections",
                "lift",
                "hours",
                "arms",
                "steps",
                "messages",
                "scripts",
                "caps",
                "quiet",
            ]
        ),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(
                        [
                            "name",
                            "start",
                            "nodes",
                            "on",
                            "min",
                            "monday",
                            "say",
                            "keys",
                            "all",
                            "any",
                            "not",
                            "use",
                            "kinds",
                            "has_mobile",
                        ]
                    ),
                    inner,
                    max_size=3,
                )
            ),
            max_leaves=12,
        ),
        max_size=5,
    ),
)
def test_wrong_types_everywhere(text: str, sections: dict[str, object]) -> None:
    for name, value in sections.items():
        if f"\n{name}:" not in text:
            text += f"\n{name}:\n"
        text = text.replace(f"\n{name}:", f"\n{name}: {flow(value)}\nx-{name}:", 1)
    refused_or_read(text)


def flow(value: object) -> str:
    """A value in YAML's flow style, nothing escaped."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {flow(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow, value)) + "]"
    return str(value)


@QUICK
@given(st.binary(max_size=400), st.integers(0, len(TRIAL)))
def test_any_bytes_in_a_file(
    tmp_path_factory: pytest.TempPathFactory, junk: bytes, at: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzz.yaml"
    path.write_bytes(TRIAL[:at].encode() + junk + TRIAL[at:].encode())
    try:
        parse_file(path)
    except DefinitionErrors as errors:
        assert errors.faults


BOMBS = {
    "aliases": "a: &a [x,x,x,x,x,x,x,x,x]\n"
    + "".join(f"{b}: &{b} [{','.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)),
    "deep flow": "[" * 100_000,
    "deep mappings": "{a: " * 40_000,
    "deep blocks": "".join("  " * depth + "a:\n" for depth in range(400)),
    "deep lists": "- " * 90_000,
    "deep keys": "? " * 90_000,
    "many fields": "".join(f"field-{number}: 1\n" for number in range(12_000)),
    "many steps": TRIAL.replace("steps:\n", "steps:\n" + "  - {name: x}\n" * 10_000),
    "long key": "k" * 199_000 + ": 1\n",
    "long number": "per: " + "9" * 199_000,
    "long text": TRIAL.replace("title: SMS のみ", "title: " + "あ" * 150_000),
    "names of names": TRIAL.replace("select:\n", "select:\n  use: [n0]\n") + "selections:\n"
    + "".join(f"  n{n}: {{use: [n{n + 1}, n{n + 1}, n{n + 1}]}}\n" for n in range(4_000))
    + "  n4000: {has_mobile: true}\n",
    "circle of names": TRIAL + "selections:\n"
    + "".join(f"  n{n}: {{use: [n{(n + 1) % 5_000}]}}\n" for n in range(5_000)),
    "many conditions": TRIAL.replace("select:\n", "select:\n  any:\n" + "    - has_mobile: true\n" * 7_000),
    "long circle": "scripts: {s: {start: n0, nodes: {"
    + ", ".join(f"n{n}: {{say: a, then: keys, keys: {{1: n{n}}}, otherwise: n{n + 1}}}" for n in range(2_400))
    + "}}}\n" + TRIAL[: TRIAL.index("scripts:")] + TRIAL[TRIAL.index("trial:") :],
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_refused_within_seconds(name: str) -> None:
    began = time.process_time()
    with pytest.raises(DefinitionErrors) as raised:
        parse(BOMBS[name], Path(name).name)
    assert raised.value.faults
    assert time.process_time() - began < 30  # of its own; what is not refused takes for ever
