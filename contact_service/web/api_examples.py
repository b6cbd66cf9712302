"""Examples in the API's description: made from the schemas, with words from a table where a schema
says no more than that it is a text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: What stands for a text of this name. ``tests/web/test_api_description.py`` finds what is missing.
WORDS: Mapping[str, str] = {
    "Idempotency-Key": "letter-2026-118",
    "action": "run.",
    "actor": "yamada",
    "again": "090-1234-5678",
    "answers": "家賃を払えないことがある",
    "asked_by": "sato",
    "call_back_at": "2026-11-10T10:00:00+09:00",
    "campaign": "three-arm-trial",
    "code": "98765432",
    "cursor": "WzEyM10=",
    "extension": "201",
    "field": "kinds",
    "file": "@滞納一覧_20260930.csv",
    "from": "+819012345678",
    "key": "three-arm-trial",
    "message": "first",
    "name": "notice-greeting.wav",
    "note": "窓口で申出",
    "number": "090-1234-5678",
    "operator": "201",
    "patience": "120",
    "promised_method": "convenience_store",
    "promised_on": "2026-11-30",
    "promised_parts": "3",
    "promised_yen": "12000",
    "reason": "本人の申出",
    "remark": "確認がていねい",
    "scope": "channel:sms",
    "seed": "2026-11-09",
    "sub_reason": "refused:amount",
    "subject": "run:1",
    "support_desk": "ぷらっとホーム世田谷",
    "text": "campaign: three-arm-trial\n# docs/reference/campaign-definition\n",
    "to": "suzuki",
    "version": "three-arm-trial@2",
    "wanted": "98765432",
    "why": "別の方だった",
    "words": "世田谷区役所です。",
}
FORMATS: Mapping[str, str] = {
    "date": "2026-11-09",
    "date-time": "2026-11-09T10:00:00+09:00",
    "uuid": "0b3f9a52-6c1e-4d6c-9a55-2f5d1f0c7a11",
}
#: Days that are texts because a form may leave them empty.
DAYS = {"from": "2026-11-02", "to": "2026-11-06"}


def resolved(document: dict[str, Any], schema: Any) -> Any:
    """A schema with what it refers to in its place."""
    if isinstance(schema, list):
        return [resolved(document, part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return resolved(document, document["components"]["schemas"][name])
    return {name: resolved(document, part) for name, part in schema.items()}


def example(
    document: dict[str, Any], schema: dict[str, Any], name: str = "", whole: bool = False
) -> Any:
    """Something that has the schema's form; ``whole``: what need not be there too."""
    found = resolved(document, schema)
    for given in ("example", "const"):
        if given in found:
            return found[given]
    if found.get("examples"):
        return found["examples"][0]
    if "enum" in found:
        return found["enum"][0]
    for choice in ("anyOf", "oneOf"):
        if choice in found:
            return example(document, found[choice][0], name, whole)
    kind = found.get("type")
    if kind == "object":
        return _object(document, found, whole)
    if kind == "array":
        parts = found.get("prefixItems") or [found.get("items", {})]
        return [example(document, part, name, whole) for part in parts]
    if kind in ("integer", "number"):
        least = found.get("minimum", found.get("exclusiveMinimum", 0) + 1)
        return found.get("default") or max(least, min(1, found.get("maximum", 1)))
    if kind == "boolean":
        return found.get("default", False)
    if kind == "null":
        return None
    return FORMATS.get(found.get("format", "")) or WORDS.get(name) or found.get("default", "…")


def _object(document: dict[str, Any], found: dict[str, Any], whole: bool) -> dict[str, Any]:
    needed = found.get("required", [])
    parts = found.get("properties", {})
    made = {
        name: example(document, part, name, whole)
        for name, part in parts.items()
        if whole or name in needed
    }
    # a body that needs nothing shows what it may hold
    return made or {name: example(document, part, name, whole) for name, part in parts.items()}
