"""Whole valid definitions, drawn at random: everything the language has, in any combination.

Valid by construction: what would be refused is never drawn, so no draw is thrown away. Warnings
are allowed. ``definitions()`` gives checked definitions, ``drafts()`` what they are written as.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from hypothesis import strategies as st

from campaigns.conditions import FIELDS, SelectionField, Shape
from campaigns.definition import Definition
from campaigns.exclusions import LIFTABLE, Exclusion
from campaigns.guidance import GUIDANCE
from campaigns.parse import parse
from campaigns.rules.exclusions import CALLS
from campaigns.rules.follow import MISSED
from campaigns.rules.steps import POSSIBLE, RETRYABLE
from campaigns.rules.times import DAYS
from campaigns.vocabulary import Channel, Language

Draft = dict[str, Any]

FIRST_DAY = date(2026, 10, 26)
_CLOCKS = [f"{hour:02}:{minute:02}" for hour in range(8, 22) for minute in (0, 30)][:-1]
_SENT: Mapping[str, str] = {
    "ja": "【{office}】お伝えしたいことがあります。{centre_phone}へ。行き違いはご容赦を。送信専用です。",
    "ja-easy": "【{office}】{centre_phone}に電話してください。行き違いです。送信専用です。",
    "en": "{office}: please call {centre_phone}. Disregard if already done. Do not reply.",
    "zh": "{office}：请致电{centre_phone}。如已办理请忽略。请勿回复。",
    "ko": "{office}: {centre_phone}로 전화해 주십시오. 이미 하셨다면 양해 바랍니다. 발신 전용입니다.",
    "vi": "{office}: xin gọi {centre_phone}. Nếu đã làm rồi, xin bỏ qua. Đừng trả lời.",
}
_SPOKEN: Mapping[str, str] = {
    "ja": "{office}です。ご本人は1を押してください。",
    "ja-easy": "{office}です。あなたが本人なら、1を押してください。",
    "en": "This is {office}. Press 1 if you are the person we are calling.",
    "zh": "这里是{office}。本人请按1。",
    "ko": "{office}입니다. 본인이시면 1번을 눌러 주십시오.",
    "vi": "Đây là {office}. Xin bấm phím 1.",
}


def ranges(most: int, least: int = 0) -> st.SearchStrategy[Draft]:
    """A range with at least one end, the right way round."""
    return st.tuples(st.integers(least, most), st.integers(least, most), st.integers(0, 2)).map(
        lambda drawn: {
            name: value
            for name, value, other in (
                ("min", min(drawn[:2]), 1),
                ("max", max(drawn[:2]), 2),
            )
            if drawn[2] != other
        }
    )


def wanted(field: SelectionField) -> st.SearchStrategy[Any]:
    """Something to ask of a field."""
    if field.shape is Shape.FLAG:
        return st.booleans()
    if field.words:
        word = st.sampled_from([each.value for each in field.words])
        return word if field.shape is Shape.WORD else st.lists(word, min_size=1, max_size=4)
    if field.name == "fiscal_years":
        return ranges(2030, 2018)
    return ranges(
        {"円": 300_000, "日": 800, "か月": 130}.get(field.unit.ja if field.unit else "", 6)
    )


def conditions(names: Sequence[str] = ()) -> st.SearchStrategy[Draft]:
    """A condition that says something, nested and named."""
    nested = [field for field in FIELDS.values() if field.nested]
    leaf = st.lists(st.sampled_from(nested), min_size=1, max_size=3, unique=True).flatmap(
        lambda fields: st.fixed_dictionaries({each.name: wanted(each) for each in fields})
    )
    if names:
        leaf |= st.fixed_dictionaries(
            {"use": st.lists(st.sampled_from(names), min_size=1, max_size=2)}
        )
    return st.recursive(
        leaf,
        lambda inner: st.dictionaries(
            st.sampled_from(["all", "any", "not"]),
            st.lists(inner, min_size=1, max_size=3),
            min_size=1,
            max_size=2,
        ),
        max_leaves=5,
    )


@st.composite
def selects(draw: st.DrawFn) -> Draft:
    """``select`` and ``selections``."""
    names = draw(st.lists(st.sampled_from(["small", "late", "reachable"]), max_size=2, unique=True))
    named: Draft = {}
    for name in names:  # each may use those before it
        named[name] = draw(conditions(list(named)))
    select: Draft = draw(st.just({}) | conditions(names))
    select["days_since_due"] = {"min": draw(st.integers(1, 60))}
    if "claim_outstanding_yen" in select:
        select["claim_outstanding_yen"] = draw(ranges(300_000, 1)) | {"min": 1}
    if draw(st.booleans()):
        select["debtor_outstanding_yen"] = draw(ranges(500_000))
    return {"select": select, "selections": named}


@st.composite
def windows(draw: st.DrawFn, most: int = 2) -> list[Draft]:
    """Windows of one day that do not overlap, in order."""
    count = draw(st.integers(0, most))
    clocks = sorted(
        draw(
            st.lists(st.sampled_from(_CLOCKS), min_size=2 * count, max_size=2 * count, unique=True)
        )
    )
    return [{"opens": a, "closes": b} for a, b in zip(clocks[::2], clocks[1::2], strict=True)]


@st.composite
def hours(draw: st.DrawFn) -> Draft:
    """Hours in which at least Monday and Thursday are open, the latter in the evening too."""
    week: Draft = {day: draw(windows()) for day in DAYS}
    week["monday"] = [{"opens": "09:00", "closes": draw(st.sampled_from(["12:00", "17:00"]))}]
    week["thursday"] = [{"opens": "09:30", "closes": "20:00"}]
    days = st.integers(0, 400).map(lambda days: FIRST_DAY + timedelta(days=days))
    ordinary = days.filter(
        lambda day: (day.month, day.day) < (12, 29) and (day.month, day.day) > (1, 3)
    )
    closed = draw(st.lists(days, max_size=4, unique=True))
    week["closed_on"] = [day.isoformat() for day in closed]
    week["sessions"] = [
        {"on": day.isoformat(), "title": "窓口", **draw(windows(1).filter(bool))[0]}
        for day in draw(st.lists(ordinary, max_size=3, unique=True))
        if day not in closed
    ]
    return week


_DURATIONS = st.sampled_from(["5 min", "20 min", "1 h", "3 h", "12 h", "23 h"])
_PARTS = st.sampled_from([None, "morning", "afternoon", "evening", "another"])


@st.composite
def steps(
    draw: st.DrawFn, arms: Sequence[str], channels: Sequence[Channel], most: int = 4
) -> list[Draft]:
    """Steps in order of start; each arm has at least one, by conditions on those before."""
    made: list[Draft] = []
    latest: dict[str, int] = {}
    for number in range(draw(st.integers(1, most))):
        origin = draw(st.sampled_from(["run", "run", "run", "due", "demand", "date"]))
        latest[origin] = latest.get(origin, 0) + draw(st.integers(0, 9))
        start: Draft = {"from": origin, "after_days": latest[origin], "at": "10:00"}
        if origin == "date":
            start["on"] = (FIRST_DAY + timedelta(days=14)).isoformat()
        channel = draw(st.sampled_from(channels))
        step: Draft = {"name": f"step-{number}", "channel": channel.value, "start": start}
        step["expires_after_days"] = draw(st.integers(1, 14))
        if number > 0:  # the first is for everybody, so that no arm is left without
            step["arms"] = draw(st.lists(st.sampled_from(arms), max_size=len(arms), unique=True))
            step |= draw(_conditions_on(made, step["arms"] or arms, arms))
        step |= draw(_sent_by(channel))
        step |= draw(_tries(channel, channels))
        if draw(st.booleans()):
            step["per_half_hour"] = draw(st.integers(1, 200))
        made.append(step)
    return made


@st.composite
def _conditions_on(
    draw: st.DrawFn, before: Sequence[Draft], mine: Sequence[str], arms: Sequence[str]
) -> Draft:
    step: Draft = {}
    reachable = [each for each in before if set(each.get("arms") or arms) & set(mine)]
    happened = sorted({outcome for each in before for outcome in _outcomes(each)})
    if draw(st.integers(0, 3)) == 0:
        step["only"] = draw(
            st.lists(st.sampled_from(happened), min_size=1, max_size=4, unique=True)
        )
    if draw(st.booleans()):
        step["unless"] = draw(st.lists(st.sampled_from(happened), max_size=4, unique=True))
    for field in ("only_after", "unless_after"):
        if reachable and draw(st.integers(0, 2)) == 0:
            other = draw(st.sampled_from(reachable))
            known = sorted(_outcomes(other))
            step[field] = {
                other["name"]: draw(
                    st.lists(st.sampled_from(known), min_size=1, max_size=3, unique=True)
                )
            }
    if draw(st.integers(0, 2)) == 0:
        step["payment"] = {"paid": draw(st.booleans())}
        if draw(st.booleans()):
            step["payment"]["since"] = draw(st.sampled_from(before))["name"]
    return step


def _outcomes(step: Draft) -> set[str]:
    found = set(POSSIBLE[Channel(step["channel"])])
    if "fallback" in step:
        found |= POSSIBLE[Channel(step["fallback"]["channel"])]
    return {outcome.value for outcome in found}


def _sent_by(channel: Channel) -> st.SearchStrategy[Draft]:
    return {
        Channel.SMS: st.just({"message": "please-call"}),
        Channel.AUTO_CALL: st.just({"script": "notice"}),
        Channel.LETTER: st.sampled_from([{}, {"message": "letter"}]),
        Channel.OPERATOR: st.just({}),
    }[channel]


@st.composite
def _tries(draw: st.DrawFn, channel: Channel, channels: Sequence[Channel]) -> Draft:
    step: Draft = {}
    causes = sorted(each.value for each in RETRYABLE[channel])
    if causes:
        step["retries"] = [
            {"on": cause, "after": draw(_DURATIONS), "most": draw(st.integers(1, 3))}
            | ({"part_of_day": part} if (part := draw(_PARTS)) else {})
            for cause in draw(st.lists(st.sampled_from(causes), max_size=3, unique=True))
        ]
    if channel in CALLS:
        step["best_hour"] = draw(st.booleans())
    missed = sorted(each.value for each in POSSIBLE[channel] & MISSED)
    if missed and draw(st.integers(0, 2)) == 0:
        other = draw(st.sampled_from([each for each in channels if each is not channel]))
        step["fallback"] = {
            "on": draw(st.lists(st.sampled_from(missed), min_size=1, max_size=3, unique=True)),
            "channel": other.value,
            "after": draw(_DURATIONS),
            **draw(_sent_by(other)),
        }
    if draw(st.booleans()):
        step["most_tries"] = draw(st.integers(2, 8))
    return step


@st.composite
def texts(draw: st.DrawFn, said: Mapping[str, str] = _SENT) -> str | Draft:
    """The same text in Japanese, or in several languages."""
    more = draw(st.lists(st.sampled_from([each.value for each in Language]), max_size=3))
    return {each: said[each] for each in dict.fromkeys(["ja", *more])} if more else said["ja"]


def _script(say: str | Draft) -> Draft:
    return {
        "start": "greeting",
        "nodes": {
            "greeting": {
                "say": say,
                "then": "keys",
                "keys": {"1": "confirmed", "3": "wrong", "9": "stop"},
                "otherwise": "bye",
            },
            "confirmed": {"say": say, "then": "transfer", "outcome": "confirmed"},
            "wrong": {"say": say, "outcome": "wrong_person"},
            "stop": {"say": say, "outcome": "opted_out"},
            "bye": {"say": say},
        },
    }


@st.composite
def drafts(draw: st.DrawFn, channels: Sequence[Channel] = tuple(Channel)) -> Draft:
    """A whole definition by the given channels, as data."""
    arms = draw(
        st.lists(st.sampled_from(["a", "b", "c", "d"]), min_size=1, max_size=3, unique=True)
    )
    holdouts = draw(st.sampled_from([[], ["holdout"], ["holdout"], ["holdout", "control"]]))
    per_7 = draw(st.integers(1, 7))
    made = draw(steps(arms, channels))
    calling = any(
        each["channel"] in CALLS or each.get("fallback", {}).get("channel") in CALLS
        for each in made
    )
    liftable = sorted(LIFTABLE - ({Exclusion.NO_CALLS} if calling else set()))
    letter = "{office} 催告書 {kinds} {debtor_outstanding_yen} 行き違いはご容赦を。{centre_phone}"
    guidance = draw(st.sampled_from(["", *(f"{{{name}}}" for name in GUIDANCE)]))
    return {
        "campaign": "generated",
        "title": draw(st.sampled_from(["生成された計画", "Drawn at random"])),
        **draw(selects()),
        "lift": [
            {"exclusion": each.value, "reason": "担当課と合意のうえ、一度だけ連絡します。"}
            for each in draw(st.lists(st.sampled_from(liftable), max_size=1))
        ],
        "hours": draw(hours()),
        "caps": {"per_7_days": per_7, "per_30_days": draw(st.integers(per_7, 20))},
        "quiet": draw(
            st.fixed_dictionaries(
                {},
                optional={
                    f"after_{what}_days": st.integers(0, 20)
                    for what in ("conversation", "promise", "payment")
                },
            )
        ),
        "call_backs": draw(
            st.fixed_dictionaries({}, optional={"per_half_hour": st.integers(1, 60)})
        ),
        "arms": [
            {"name": name, "weight": draw(st.integers(1, 5)), "holdout": name in holdouts}
            for name in [*holdouts, *arms]
        ],
        "allocation": {
            "seed": draw(st.sampled_from(["s1", "s2", "種"])),
            "strata": draw(
                st.lists(st.sampled_from(["kind", "period", "amount", "number"]), unique=True)
            ),
        },
        "steps": made,
        "messages": {
            "please-call": draw(texts()),
            "letter": letter if guidance == "" else f"{letter} {{how-to-pay}}",
        },
        "snippets": {"how-to-pay": "お手元の書類をご覧ください。"} if guidance else {},
        "scripts": {"notice": _script(draw(texts(_SPOKEN)))},
    }


def definitions() -> st.SearchStrategy[Definition]:
    """A whole definition, read and checked as from a file."""
    return drafts().map(lambda draft: parse(written(draft), "generated.yaml"))


def written(draft: Draft) -> str:
    """A draft as the text of a file."""
    return json.dumps(draft, ensure_ascii=False, indent=1)
