"""The reference page of the definition language, made from the model and the rules.

``python -m campaigns.reference > docs/reference/campaign-definition.md``
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from campaigns.conditions import FIELDS, OPERATORS
from campaigns.exclusions import EXCLUSIONS
from campaigns.guidance import GUIDANCE
from campaigns.lint import LINTS, Place
from campaigns.messages import MAX_PARTS, PART_UNITS, PLACEHOLDERS, SINGLE_UNITS
from campaigns.phrases import (
    CHANNELS,
    CLASSES,
    DAY_PARTS,
    KINDS,
    LANGUAGES,
    ORIGINS,
    OUTCOMES,
    PERIODS,
    PLANS,
    PRIMARY,
    PROMISES,
    STRATA,
)
from campaigns.rules.follow import MISSED
from campaigns.rules.selection import MAX_CONDITIONS
from campaigns.rules.steps import POSSIBLE, RETRYABLE
from campaigns.rules.times import EARLIEST, LATEST
from campaigns.schema import json_schema
from campaigns.source import MAX_DEPTH, MAX_SIZE
from campaigns.trial_words import SECONDARY, SUBGROUPS, TOO_SMALL

_INTRODUCTION = f"""# Campaign definition

A campaign definition is a YAML file in UTF-8 that says who is contacted, how, when and why.
This page lists every field and word. It is generated from the model; do not edit it.

- `contact-service campaign check FILE` names every fault with line and column, and exits 1.
- `contact-service campaign explain FILE` tells in plain words what the campaign will do.
- `contact-service campaign list` lists the ready-made definitions; their names stand for files.
- `contact-service campaign schema` prints the JSON Schema, for editors.

The YAML is plain: mappings, lists, text, whole numbers, decimals, `true`, `false` and nothing.
`on`, `yes`, `09:00` and `2026-12-29` are text. Anchors, aliases, tags, directives and doubled
keys are refused, and so is a file of more than {MAX_SIZE // 1000} kB or {MAX_DEPTH} levels.

Times of day are Asia/Tokyo, money is yen, a duration is written `5 min`, `2 h` or `3 days`.
A name begins with a small letter, then small letters, digits, `-` and `_`, at most 40.
"""
_WORDS: tuple[tuple[str, Mapping[str, Mapping[Any, str]]], ...] = (
    ("ClaimKind", KINDS),
    ("LegalClass", CLASSES),
    ("Period", PERIODS),
    ("Channel", CHANNELS),
    ("Outcome", OUTCOMES),
    ("PromiseState", PROMISES),
    ("InstalmentPlan", PLANS),
    ("Language", LANGUAGES),
    ("Origin", ORIGINS),
    ("DayPart", DAY_PARTS),
    ("Stratum", STRATA),
    ("PrimaryOutcome", PRIMARY),
    ("SecondaryOutcome", SECONDARY),
    ("Subgroup", SUBGROUPS),
    ("TooSmall", TOO_SMALL),
)
_LIMITS = (
    ("minimum", "≥ {}"),
    ("maximum", "≤ {}"),
    ("exclusiveMinimum", "> {}"),
    ("exclusiveMaximum", "< {}"),
    ("minLength", "not empty"),
    ("maxLength", "at most {} characters"),
    ("minItems", "at least {}"),
)


def page() -> str:
    """The whole page, in Markdown."""
    return "\n".join((_INTRODUCTION, *_fields(), *_asked(), *_words(), *_rules()))


def _fields() -> Iterator[str]:
    yield "## Fields\n"
    schema = json_schema()
    for name, part in _parts(schema):
        yield f"### {name}\n\n{_text(part)}\n"
        required = part.get("required", ())
        if name == "Selection":
            yield "All fields of [Condition](#condition), of which these are different or more:\n"
        rows = (
            (
                f"`{field}`",
                _kind(about),
                "required" if field in required else _default(about.get("default")),
                _text(about),
            )
            for field, about in part["properties"].items()
            if name != "Selection" or schema["$defs"]["Condition"]["properties"].get(field) != about
        )
        yield from _table(("field", "value", "default", "meaning"), rows)


def _parts(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The definition and the parts it is made of, in the order in which they are named."""
    waiting, seen = ["Definition"], {"Definition"}
    while waiting:
        name = waiting.pop(0)
        part = schema if name == "Definition" else schema["$defs"][name]
        yield name, part
        for found in _names_in(part["properties"]):
            if found not in seen and "properties" in schema["$defs"][found]:
                seen.add(found)
                waiting.append(found)


def _names_in(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if "$ref" in value:
            yield value["$ref"].rpartition("/")[2]
        for inner in value.values():
            yield from _names_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _names_in(inner)


def _kind(about: dict[str, Any]) -> str:
    """What a field takes."""
    if "$ref" in about:
        name = about["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in about:
        return _kind(about["anyOf"][0])
    if "enum" in about:
        return " or ".join(f"`{word}`" for word in about["enum"])
    limits = [form.format(about[limit]) for limit, form in _LIMITS if limit in about]
    match about["type"]:
        case "array":
            kind = f"list of {_kind(about['items'])}"
        case "object":
            kind = _pairs(about)
        case "string" if "examples" in about:
            kind = f"`{about['examples'][0]}`"
        case "string":
            kind = {"date": "date"}.get(about.get("format", ""), "text")
            kind = "name" if about.get("pattern", "").startswith("^[a-z]") else kind
        case other:
            kind = {"integer": "whole number", "boolean": "`true` or `false`"}.get(other, other)
    return ", ".join((kind, *limits))


def _pairs(about: dict[str, Any]) -> str:
    """What a mapping takes."""
    if "patternProperties" not in about:
        return f"{_kind(about['propertyNames'])}: {_kind(about['additionalProperties'])}"
    pattern, inner = next(iter(about["patternProperties"].items()))
    return f"{'name' if pattern.startswith('^[a-z]') else 'key'}: {_kind(inner)}"


def _default(value: Any) -> str:
    if isinstance(value, dict):
        value = {name: inner for name, inner in value.items() if inner is not None}
    return "–" if value in (None, "", [], {}) else f"`{json.dumps(value, ensure_ascii=False)}`"


def _text(about: dict[str, Any]) -> str:
    return " ".join(about.get("description", "").replace("``", "`").split())


def _asked() -> Iterator[str]:
    yield f"""## What can be asked of claims

Given beside each other, conditions must all hold. `all`, `any` and `not` take lists of further
conditions, nested as deep as a file may be; `use` names conditions kept under `selections`. With
all names put in, a selection holds at most {MAX_CONDITIONS} conditions.
`contact-service campaign fields` prints this table, also as JSON.

```yaml
select:
  kinds: [health_insurance]
  use: [reachable]
  any:
    - promises: [broken]
    - all:
        - days_since_due: {{min: 60}}
        - operator_contacts: {{max: 0}}
  not:
    - last_outcomes: [transferred]
selections:
  reachable:
    has_mobile: true
```
"""
    rows = (
        (
            f"`{field.name}`",
            field.ja,
            field.en,
            field.shape.value,
            f"{field.unit.ja} / {field.unit.en}" if field.unit else "–",
            ", ".join(OPERATORS[field.shape]),
            "anywhere" if field.nested else "at the top of `select`",
            f"`{{{field.name}}}`" if field.in_texts else "–",
            "by " + (", ".join(f"{edge:,}–" for edge in field.bands) or "value"),
        )
        for field in FIELDS.values()
    )
    head = (
        "field",
        "日本語",
        "English",
        "type",
        "unit",
        "operators",
        "where",
        "in texts",
        "reports",
    )
    yield from _table(head, rows)
    yield """What stands under *in texts* may be put into letters, and into what an auto-call says
once the person is confirmed; it is told of the addressee's own selected claims. Reports break down
by every field: by the value as it stood when the run was planned, or by the bands given.
"""


def _words() -> Iterator[str]:
    yield "## Words\n"
    for name, words in _WORDS:
        yield f"### {name}\n"
        rows = ((f"`{word}`", ja, words["en"][word]) for word, ja in words["ja"].items())
        yield from _table(("word", "日本語", "English"), rows)


def _rules() -> Iterator[str]:
    yield f"""## Rules

Windows lie between {EARLIEST:%H:%M} and {LATEST:%H:%M}, whatever the law would allow. Every name
that is used must exist, every node of a script must be reachable and lead to an end, and no arm
is without a step unless it is a holdout.

### Retries

An outcome is tried again only if its cause can pass; `unknown` never is.
"""
    yield from _table(
        ("channel", "may be tried again after"),
        (
            (f"`{channel}`", ", ".join(f"`{each}`" for each in sorted(outcomes)) or "–")
            for channel, outcomes in RETRYABLE.items()
        ),
    )
    yield """### Fallback

Another channel may follow after:
"""
    yield from _table(
        ("channel", "outcomes"),
        (
            (f"`{channel}`", ", ".join(f"`{each}`" for each in sorted(outcomes & MISSED)) or "–")
            for channel, outcomes in POSSIBLE.items()
        ),
    )
    yield """### Exclusions

All of these always apply, except those that a definition lifts by name and with a reason.
"""
    yield from _table(
        ("exclusion", "日本語", "English", "may be lifted"),
        (
            (
                f"`{each}`",
                about.ja,
                about.en,
                "yes" if about.may_be_lifted else f"no: {about.why_ja} / {about.why_en}",
            )
            for each, about in EXCLUSIONS.items()
        ),
    )
    yield f"""### Messages

One part holds {SINGLE_UNITS} UTF-16 units, each part of a longer message {PART_UNITS}; at most
{MAX_PARTS} parts. The office, its telephone number and wording for those who have already paid
(行き違い) must be there. Placeholders:
"""
    yield from _table(
        ("placeholder", "becomes"),
        ((f"`{{{name}}}`", meaning) for name, meaning in PLACEHOLDERS.items()),
    )
    yield """Besides, the names of `snippets`, and these ready texts about ways to pay, for the
kinds of claim that can be paid so (a snippet of the same name replaces one):
"""
    yield from _table(
        ("placeholder", "way to pay", "kinds"),
        (
            (
                f"`{{{name}}}`",
                f"{ready.ja} / {ready.en}",
                ", ".join(f"`{kind}`" for kind in KINDS["ja"] if kind in ready.kinds),
            )
            for name, ready in GUIDANCE.items()
        ),
    )
    yield """A text is one text, in Japanese, or a text for each language. Somebody gets the one in
their own language, or else that in `default_language`; every text must be there in that one.

```yaml
messages:
  please-call:
    ja: 【{office}】お伝えしたいことがあります。…
    en: "{office}: Please call us. …"
```
"""
    yield "### Forbidden words\n"
    yield from _table(
        (
            "matter",
            "in an SMS",
            "before confirmation",
            "after confirmation",
            "in a letter",
            "why",
        ),
        (
            (
                lint.name,
                *(
                    ("warning" if lint.warning else "refused") if place in lint.places else "–"
                    for place in Place
                ),
                f"{lint.ja} / {lint.en}",
            )
            for lint in LINTS
        ),
    )


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', '&#124;') for cell in row)} |"
    yield ""


if __name__ == "__main__":
    sys.stdout.write(page())
