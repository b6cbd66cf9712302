"""What a definition may say and planning cannot do yet. It is refused, never passed over."""

from __future__ import annotations

from collections.abc import Iterator

from campaigns.conditions import FIELDS as CLAIM_FIELDS
from campaigns.definition import Definition
from campaigns.texts import PLACEHOLDER, Text


def pending(definition: Definition) -> Iterator[str]:
    """The fields a definition uses that planning cannot do yet, as paths."""
    for name, script in definition.scripts.items():
        for node_name, node in script.nodes.items():
            if _tells_fields(node.say):
                yield f"scripts.{name}.nodes.{node_name}.say"


def _tells_fields(text: Text) -> bool:
    """Whether something about the person's claims is put in."""
    words = "".join(text.languages.values())
    return any(match[1] in CLAIM_FIELDS for match in PLACEHOLDER.finditer(words))
