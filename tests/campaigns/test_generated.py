"""Properties of any valid definition at all."""

from __future__ import annotations

import json

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from campaigns.conditions import put_in
from campaigns.definition import Definition
from campaigns.difference import compare
from campaigns.explain import as_text, explain
from campaigns.faults import DefinitionErrors
from campaigns.parse import read
from campaigns.vocabulary import Language
from tests.campaigns.generated import Draft, definitions, drafts, written

FEW = settings(
    max_examples=12,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # a whole definition shrinks for minutes
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@FEW
@given(drafts())
def test_a_definition_is_read_stored_and_read_again_as_the_same(draft: Draft) -> None:
    reading = read(written(draft), "generated.yaml")
    stored = json.loads(reading.definition.model_dump_json())
    assert Definition.model_validate(stored) == reading.definition
    said = reading.definition.model_dump(mode="json", exclude_unset=True)
    again = read(json.dumps(said, ensure_ascii=False), "stored.yaml")
    assert again.definition == reading.definition
    assert {each.message_en for each in again.warnings} == {
        each.message_en for each in reading.warnings
    }


@FEW
@given(definitions(), definitions())
def test_whatever_differs_is_told(old: Definition, new: Definition) -> None:
    for lang in ("ja", "en"):
        assert compare(old, old, lang).changes == ()
        assert compare(old, old, lang).sections == ()
        text = as_text(explain(old, lang))
        assert "{" not in text
        assert all(step.name in text for step in old.steps)
    assert bool(compare(old, new).changes) == (old != new)


@FEW
@given(definitions())
def test_everybody_gets_a_text_in_every_language(definition: Definition) -> None:
    for wanted in (None, *Language):
        for text in definition.messages.values():
            assert definition.words(text, wanted)
        for script in definition.scripts.values():
            spoken = {definition.language_of(node.say, wanted) for node in script.nodes.values()}
            assert len(spoken) == 1, "a call is in one language"
    put_in(definition.whom, definition.selections)


@FEW
@given(drafts(), st.data())
def test_one_thing_taken_out_is_valid_or_named_with_its_place(
    draft: Draft, data: st.DataObject
) -> None:
    places: list[tuple[Draft | list[object], object]] = []

    def walk(value: object) -> None:
        if isinstance(value, dict | list):
            for key in value if isinstance(value, dict) else range(len(value)):
                places.append((value, key))
                walk(value[key])

    walk(draft)
    inside, key = data.draw(st.sampled_from(places))
    del inside[key]  # type: ignore[arg-type]
    text = written(draft)
    try:
        read(text, "generated.yaml")
    except DefinitionErrors as errors:
        for fault in errors.faults:
            assert 1 <= fault.line <= text.count("\n") + 1
            assert fault.message_ja
            assert fault.message_en
