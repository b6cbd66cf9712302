"""The wizard's forms: which parts of a definition each step shows, in which order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from campaigns.condition_words import NAMES
from campaigns.conditions import FIELDS, SelectionField, Shape
from campaigns.editing import value_at
from campaigns.faults import FieldPath, show_path
from campaigns.steps import Origin
from campaigns.trial import PrimaryOutcome, Stratum
from campaigns.vocabulary import CHANNEL_EN, CHANNEL_JA, Channel
from contact_service.web.locale import translatable
from contact_service.web.wizard import FormField, Group, Input, Reader

_COMMON = (
    "kinds", "legal_classes", "period", "days_since_due", "claim_outstanding_yen",
    "debtor_outstanding_yen", "has_mobile",
)  # fmt: skip
_DAYS = (
    ("monday", translatable("月曜")), ("tuesday", translatable("火曜")),
    ("wednesday", translatable("水曜")), ("thursday", translatable("木曜")),
    ("friday", translatable("金曜")), ("saturday", translatable("土曜")),
    ("sunday", translatable("日曜")), ("holidays", translatable("祝日")),
)  # fmt: skip
_STRATA = {
    Stratum.KIND: translatable("科目"),
    Stratum.PERIOD: translatable("現年・滞納繰越"),
    Stratum.AMOUNT: translatable("金額"),
    Stratum.NUMBER: translatable("番号の種類"),
    Stratum.EARLIER_CONTACT: translatable("これまでの連絡"),
}
_ORIGINS = {
    Origin.RUN: translatable("実施の開始日"),
    Origin.DUE: translatable("納期限"),
    Origin.DEMAND: translatable("督促の発送日"),
    Origin.DATE: translatable("決まった日（本文に on: で）"),
}
_OUTCOMES = {
    PrimaryOutcome.PAID_SOMETHING: translatable("一部でも納付した"),
    PrimaryOutcome.PAID_IN_FULL: translatable("全額を納付した"),
}


def groups(step: str, content: Any, reader: Reader) -> list[Group]:
    """The form of one step, filled with what stands in ``content`` (plain values)."""
    return list(_FORMS[step](content, reader)) if step in _FORMS else []


@dataclass
class _Form:
    """Makes fields of ``content``."""

    content: Any
    reader: Reader
    made: list[FormField] = field(default_factory=list)

    def add(self, path: FieldPath, label: str, kind: Input, **more: Any) -> None:
        value = value_at(self.content, path)
        self.made.append(FormField(path, self.reader.say(label), kind, value, **more))

    def named(self, words: Mapping[Any, str]) -> list[tuple[str, str]]:
        return [(word.value, self.reader.say(text)) for word, text in words.items()]

    def keys(self, name: str) -> list[tuple[str, str]]:
        found = value_at(self.content, (name,))
        return [(key, key) for key in found] if isinstance(found, dict) else []

    def arms(self) -> list[tuple[str, str]]:
        found = value_at(self.content, ("arms",))
        rows = [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
        return [
            (str(arm.get("name")), str(arm.get("title") or arm.get("name")))
            for arm in rows
            if arm.get("name") and not arm.get("holdout")
        ]

    def count(self, name: str) -> int:
        found = value_at(self.content, (name,))
        return len(found) if isinstance(found, list) else 0


def _whom(content: Any, reader: Reader) -> Iterator[Group]:
    form = _Form(content, reader)
    form.add(("title",), translatable("計画の名称"), Input.TEXT, required=True)
    form.add(
        ("campaign",), translatable("短い名前"), Input.TEXT, required=True,
        hint=reader.say(translatable(
            "英小文字、数字、ハイフン。同じ名前は同じ計画の新しい版になります。"
        )),
    )  # fmt: skip
    form.add(("purpose",), translatable("目的"), Input.LONG)
    yield Group(reader.say(translatable("計画")), form.made)
    common, others = _Form(content, reader), _Form(content, reader)
    for name, about in FIELDS.items():
        _ask(common if name in _COMMON else others, about)
    yield Group(
        reader.say(translatable("どの債権の人に")), common.made,
        hint=reader.say(translatable(
            "選ばない条件は問いません。納付済みと交渉制限の人には、何を選んでも連絡しません。"
        )),
    )  # fmt: skip
    asked = any(each.value not in (None, [], "") for each in others.made)
    yield Group(reader.say(translatable("ほかの条件")), others.made, folded=not asked)


def _ask(form: _Form, about: SelectionField) -> None:
    reader, path = form.reader, ("select", about.name)
    label = reader.of(about.ja, about.en)
    unit = reader.of(about.unit.ja, about.unit.en) if about.unit else ""
    if about.shape is Shape.RANGE:
        for end, word in (("min", translatable("以上")), ("max", translatable("以下"))):
            value = value_at(form.content, (*path, end))
            form.made.append(
                FormField(
                    (*path, end), f"{label} {reader.say(word)}", Input.NUMBER, value, unit=unit
                )
            )
        return
    value = value_at(form.content, path)
    if about.shape is Shape.FLAG:
        either = [("true", reader.of("はい", "yes")), ("false", reader.of("いいえ", "no"))]
        form.made.append(FormField(path, label, Input.ONE, value, either))
        return
    assert about.words is not None
    names = NAMES[about.words]["ja" if reader.language == "ja" else "en"]
    words = [(word.value, names[word]) for word in about.words]
    kind = Input.MANY if about.shape is Shape.WORDS else Input.ONE
    form.made.append(FormField(path, label, kind, value, words))


def _when(content: Any, reader: Reader) -> Iterator[Group]:
    channels = CHANNEL_JA if reader.language == "ja" else CHANNEL_EN
    for index in range(_Form(content, reader).count("steps")):
        form = _Form(content, reader)
        at: FieldPath = ("steps", index)
        form.add((*at, "name"), translatable("段階の名前（英数字）"), Input.TEXT, required=True)
        form.add(
            (*at, "channel"), translatable("手段"), Input.ONE,
            choices=[(each.value, channels[each]) for each in Channel], required=True,
        )  # fmt: skip
        form.add(
            (*at, "arms"), translatable("どの群に（選ばなければ対照群以外のすべて）"), Input.MANY,
            choices=form.arms(),
        )  # fmt: skip
        form.add(
            (*at, "start", "from"),
            translatable("いつから数えて"),
            Input.ONE,
            hint=reader.say(translatable("選ばなければ、実施の開始日から数えます。")),
            choices=form.named(_ORIGINS),
        )
        form.add(
            (*at, "start", "after_days"),
            translatable("何日後"),
            Input.NUMBER,
            unit=reader.of("日", "days"),
        )
        form.add((*at, "start", "at"), translatable("何時から"), Input.TIME)
        form.add(
            (*at, "expires_after_days"),
            translatable("何日たったらやめる"),
            Input.NUMBER,
            unit=reader.of("日", "days"),
        )
        form.add(
            (*at, "per_half_hour"),
            translatable("30分に最大"),
            Input.NUMBER,
            unit=reader.of("件", "contacts"),
        )
        form.add(
            (*at, "message"),
            translatable("文面（SMS・催告書）"),
            Input.ONE,
            choices=form.keys("messages"),
        )
        form.add(
            (*at, "script"),
            translatable("台本（オートコール）"),
            Input.ONE,
            choices=form.keys("scripts"),
        )
        name = value_at(content, (*at, "name")) or index + 1
        yield Group(
            f"{reader.say(translatable('段階'))} {name}", form.made, remove=show_path(at)
        )  # fmt: skip
    form = _Form(content, reader)
    for day, label in _DAYS:
        windows = value_at(content, ("hours", day))
        if isinstance(windows, list) and len(windows) > 1:
            continue  # two windows a day are the text's
        for end, word in (("opens", translatable("開始")), ("closes", translatable("終了"))):
            value = value_at(content, ("hours", day, 0, end))
            label_of = f"{reader.say(label)} {reader.say(word)}"
            form.made.append(FormField(("hours", day, 0, end), label_of, Input.TIME, value))
    yield Group(
        reader.say(translatable("連絡してよい時間")), form.made,
        hint=reader.say(translatable(
            "空欄の曜日には連絡しません。12月29日から1月3日は、書かなくても休みです。"
        )),
    )  # fmt: skip
    form = _Form(content, reader)
    for path, label, unit in (
        (("caps", "per_7_days"), translatable("一人に7日間で最大"), reader.of("回", "times")),
        (("caps", "per_30_days"), translatable("一人に30日間で最大"), reader.of("回", "times")),
        (
            ("quiet", "after_conversation_days"),
            translatable("話したあと、そっとしておく"),
            reader.of("日", "days"),
        ),
        (
            ("quiet", "after_promise_days"),
            translatable("約束の日のあと、そっとしておく"),
            reader.of("日", "days"),
        ),
        (
            ("quiet", "after_payment_days"),
            translatable("納付のあと、そっとしておく"),
            reader.of("日", "days"),
        ),
        (
            ("call_backs", "per_half_hour"),
            translatable("30分に見込む折り返しの上限"),
            reader.of("件", "calls"),
        ),
    ):
        form.add(path, label, Input.NUMBER, unit=unit)
    yield Group(reader.say(translatable("回数と間隔")), form.made)


def _messages(content: Any, reader: Reader) -> Iterator[Group]:
    form = _Form(content, reader)
    for key, text in _items(content, "messages"):
        for path, label in _texts(("messages", key), key, text):
            form.made.append(FormField(path, label, Input.LONG, value_at(content, path)))
    yield Group(
        reader.say(translatable("文面")), form.made,
        hint=reader.say(translatable(
            "{office} は役所の名前、{centre_phone} は電話番号になります。滞納や氏名は書けません。"
        )),
    )  # fmt: skip
    for key, script in _items(content, "scripts"):
        form = _Form(content, reader)
        for node in _items(script, "nodes"):
            at: FieldPath = ("scripts", key, "nodes", node[0])
            said = value_at(content, (*at, "say"))
            for path, label in _texts((*at, "say"), node[0], said):
                form.made.append(FormField(path, label, Input.LONG, value_at(content, path)))
            form.made.append(
                FormField(
                    (*at, "audio"), f"{node[0]} {reader.say(translatable('の録音'))}", Input.TEXT,
                    value_at(content, (*at, "audio")),
                    hint=reader.say(translatable(
                        "「音声」の画面にある名前。空欄は合成音声で読み上げます。"
                    )),
                )
            )  # fmt: skip
        yield Group(f"{reader.say(translatable('台本'))} {key}", form.made)


def _texts(path: FieldPath, key: str, text: Any) -> Iterator[tuple[FieldPath, str]]:
    """A text in each language in which it is written."""
    if not isinstance(text, dict):
        yield path, key
        return
    for language in text:
        yield (*path, str(language)), f"{key}（{language}）"


def _items(content: Any, name: str) -> list[tuple[str, Any]]:
    found = content.get(name) if isinstance(content, dict) else None
    return list(found.items()) if isinstance(found, dict) else []


def _arms(content: Any, reader: Reader) -> Iterator[Group]:
    for index in range(_Form(content, reader).count("arms")):
        form = _Form(content, reader)
        at: FieldPath = ("arms", index)
        form.add((*at, "name"), translatable("群の名前（英数字）"), Input.TEXT, required=True)
        form.add((*at, "title"), translatable("報告書での呼び方"), Input.TEXT)
        form.add((*at, "weight"), translatable("割合（ほかの群に対して）"), Input.NUMBER)
        form.add((*at, "holdout"), translatable("連絡せずに比べる群（対照群）"), Input.YES)
        title = value_at(content, (*at, "title")) or value_at(content, (*at, "name")) or index + 1
        yield Group(f"{reader.say(translatable('群'))} {title}", form.made, remove=show_path(at))
    form = _Form(content, reader)
    form.add(
        ("allocation", "seed"), translatable("割付けの種（どんな文字でも）"), Input.TEXT,
        required=True,
        hint=reader.say(translatable("同じ種と同じ人なら、同じ群になります。")),
    )  # fmt: skip
    form.add(
        ("allocation", "strata"),
        translatable("群の間でそろえるもの"),
        Input.MANY,
        choices=form.named(_STRATA),
    )
    form.add(
        ("trial", "primary_outcome"),
        translatable("何で比べるか"),
        Input.ONE,
        choices=form.named(_OUTCOMES),
    )
    form.add(
        ("trial", "horizon_days"),
        translatable("開始から何日の納付を数えるか"),
        Input.NUMBER,
        unit=reader.of("日", "days"),
    )
    yield Group(reader.say(translatable("比べ方")), form.made)


_FORMS: Mapping[str, Callable[[Any, Reader], Iterator[Group]]] = {
    "whom": _whom,
    "when": _when,
    "messages": _messages,
    "arms": _arms,
}
#: What a new part starts as, by the list or mapping that it is put into.
NEW: Mapping[str, Callable[[int], dict[str, Any]]] = {
    "steps": lambda n: {
        "name": f"step-{n}", "channel": "sms", "start": {"after_days": 0, "at": "10:00"},
        "expires_after_days": 3,
    },
    "arms": lambda n: {"name": f"arm-{n}", "weight": 1},
}  # fmt: skip
