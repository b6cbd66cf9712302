"""Auto-call scripts, checked as graphs of nodes.

Whoever picks up hears the start node, and so does an answering machine, which presses no key
and is carried on by ``otherwise``. So silence must lead to an end, must never count as a
confirmation, and everything that can be heard before a confirmation must be neutral.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

from campaigns.claim_words import tells_of_claims
from campaigns.definition import Node, Script
from campaigns.faults import FieldPath, Problem
from campaigns.lint import Place, lint
from campaigns.messages import PLACEHOLDERS, check_placeholders
from campaigns.texts import fill, placed
from campaigns.vocabulary import Language, Outcome
from campaigns.wording import nearest, with_suggestion

#: What a node can mean. Everything else is the carrier's to report.
SPOKEN_OUTCOMES = frozenset(
    {
        Outcome.CONFIRMED,
        Outcome.TRANSFERRED,
        Outcome.ANSWERED,
        Outcome.WRONG_PERSON,
        Outcome.OPTED_OUT,
    }
)
#: What only a pressed key can mean: silence says nothing.
BY_KEY_ONLY = SPOKEN_OUTCOMES - {Outcome.ANSWERED}


class Edge(NamedTuple):
    """A way from one node to another; ``key`` is ``None`` for ``otherwise``."""

    source: str
    key: str | None
    target: str
    path: FieldPath


def check_script(
    script: Script,
    path: FieldPath,
    snippets: Mapping[Language, Mapping[str, str]],
    to_the_person: Collection[str] = (),
) -> Iterator[Problem]:
    """What is wrong with a script.

    ``snippets`` are the texts that may be put in, by language; ``to_the_person`` the fields that
    may be told once the person is confirmed.
    """
    yield from _check_nodes(script, path)
    edges = list(edges_of(script, path))
    missing = [edge for edge in edges if edge.target not in script.nodes]
    for edge in missing:
        yield _no_such_node(script, edge.target, edge.path)
    if script.start not in script.nodes:
        yield _no_such_node(script, script.start, (*path, "start"))
        return
    if script.voicemail is not None and script.voicemail not in script.nodes:
        yield _no_such_node(script, script.voicemail, (*path, "voicemail"))
        return
    if missing:
        return
    yield from _check_graph(script, edges, path)
    yield from _check_start(script, path)
    yield from _check_voicemail(script, path)
    yield from _check_secrecy(script, path)
    yield from _check_words(script, path, snippets, to_the_person)


def edges_of(script: Script, path: FieldPath = ()) -> Iterator[Edge]:
    """All ways between nodes; each edge's own path is beneath ``path``, the script's."""
    for name, node in script.nodes.items():
        here = (*path, "nodes", name)
        for key, target in node.keys.items():
            yield Edge(name, key, target, (*here, "keys", key))
        if node.otherwise is not None:
            yield Edge(name, None, node.otherwise, (*here, "otherwise"))


def unconfirmed(script: Script) -> frozenset[str]:
    """The nodes that can be heard before the person is confirmed."""
    return _reach(script, beyond_confirmation=False)


def _reach(script: Script, *, beyond_confirmation: bool) -> frozenset[str]:
    found: set[str] = set()
    waiting = [script.start, *([script.voicemail] if script.voicemail else [])]
    while waiting:
        name = waiting.pop()
        node = script.nodes[name]
        if name in found or (not beyond_confirmation and node.outcome is Outcome.CONFIRMED):
            continue
        found.add(name)
        waiting += node.keys.values()
        waiting += [node.otherwise] if node.otherwise else []
    return frozenset(found)


def _check_nodes(script: Script, path: FieldPath) -> Iterator[Problem]:
    for name, node in script.nodes.items():
        here = (*path, "nodes", name)
        if node.then == "keys" and not node.keys:
            yield Problem(
                (*here, "then"),
                f"段 `{name}` は `then: keys` ですが、`keys` がありません",
                f"node `{name}` waits for a key (`then: keys`) but has no `keys`",
            )
        if node.then != "keys" and node.keys:
            yield Problem(
                (*here, "keys"),
                f"段 `{name}` に `keys` がありますが、`then: keys` ではありません",
                f"node `{name}` has `keys` but does not wait for one; write `then: keys`",
                "then: keys",
            )
        if node.then == "keys" and node.otherwise is None:
            yield Problem(
                here,
                f"段 `{name}` は行き止まりです。押されないときの `otherwise` を書いてください",
                f"node `{name}` is a dead end when no key is pressed; add `otherwise`",
            )
        if node.then != "keys" and node.otherwise is not None:
            yield Problem(
                (*here, "otherwise"),
                f"段 `{name}` はキーを待たないので、`otherwise` は使われません",
                f"node `{name}` waits for no key, so `otherwise` is never used",
            )
        if node.outcome is not None and node.outcome not in SPOKEN_OUTCOMES:
            known = ", ".join(sorted(SPOKEN_OUTCOMES))
            yield Problem(
                (*here, "outcome"),
                f"`{node.outcome}` は自動音声の段の結果になりません（{known} のどれか）",
                f"a node cannot mean `{node.outcome}`; it is one of {known}",
            )


def _check_voicemail(script: Script, path: FieldPath) -> Iterator[Problem]:
    """A machine presses nothing and confirms nothing."""
    if script.voicemail is None:
        return
    node = script.nodes[script.voicemail]
    if node.then != "hang_up" or node.outcome is not None:
        yield Problem(
            (*path, "voicemail"),
            f"段 `{script.voicemail}` は留守番電話に残す言葉です。`then: hang_up` とし、"
            "`outcome` は書きません",
            f"node `{script.voicemail}` is left on a machine: it ends with `hang_up` and has no "
            "`outcome`",
        )


def _check_graph(script: Script, edges: list[Edge], path: FieldPath) -> Iterator[Problem]:
    reached = _reach(script, beyond_confirmation=True)
    for name in script.nodes:
        if name not in reached:
            yield Problem(
                (*path, "nodes", name),
                f"段 `{name}` にはどこからも行けません",
                f"nothing leads to node `{name}`",
                of_key=True,
            )
    reported: set[str] = set()
    for name, node in script.nodes.items():
        circle = _silent_circle(script, name)
        if circle and not reported.intersection(circle) and node.otherwise:
            reported.update(circle)
            way = " → ".join((*circle, circle[0]))
            yield Problem(
                (*path, "nodes", name, "otherwise"),
                f"誰も何も押さないと終わりません: {way}",
                f"without a key press this never ends: {way}",
            )
    strangers = unconfirmed(script)
    for edge in edges:
        outcome = script.nodes[edge.target].outcome
        again = outcome is Outcome.CONFIRMED and edge.source not in strangers
        if edge.key is None and outcome in BY_KEY_ONLY and not again:
            yield Problem(
                edge.path,
                f"無操作を `{outcome}` とはみなせません（留守番電話も何も押しません）",
                f"silence cannot mean `{outcome}`: an answering machine presses nothing either",
            )


def _silent_circle(script: Script, start: str) -> tuple[str, ...]:
    """The nodes that silence leads around and back to ``start``; empty if it leads elsewhere."""
    way = [start]
    following = script.nodes[start].otherwise
    while following is not None and following not in way:
        way.append(following)
        following = script.nodes[following].otherwise
    return tuple(way) if following == start else ()


def _check_start(script: Script, path: FieldPath) -> Iterator[Problem]:
    node = script.nodes[script.start]
    here = (*path, "nodes", script.start)
    if node.outcome in BY_KEY_ONLY:
        yield Problem(
            (*here, "outcome"),
            f"電話に出ただけでは `{node.outcome}` とみなせません",
            f"picking up alone cannot mean `{node.outcome}`",
        )
    for place, _, words in placed(node.say, (*here, "say")):
        if "{office}" not in words:
            yield Problem(
                place,
                "最初に役所の名前 `{office}` を名乗ってください",
                "the first words must name the office: `{office}`",
            )
    offered = {script.nodes[target].outcome for target in node.keys.values()}
    for outcome, ja, en in (
        (Outcome.WRONG_PERSON, "本人でない人のためのキー", "a key for the wrong person"),
        (Outcome.OPTED_OUT, "今後の電話を断るキー", "a key to stop further calls"),
    ):
        if outcome not in offered:
            yield Problem(
                here,
                f"最初の案内に、{ja}（`outcome: {outcome}` の段へ）がありません",
                f"the first menu lacks {en}, leading to a node with `outcome: {outcome}`",
            )


def _check_words(
    script: Script,
    path: FieldPath,
    snippets: Mapping[Language, Mapping[str, str]],
    to_the_person: Collection[str],
) -> Iterator[Problem]:
    strangers = unconfirmed(script)
    for name, node in script.nodes.items():
        heard = Place.UNCONFIRMED if name in strangers else Place.CONFIRMED
        more = () if name in strangers else to_the_person
        if node.audio is not None and any(map(tells_of_claims, node.say.languages.values())):
            yield Problem(
                (*path, "nodes", name, "audio"),
                "録音は一人ひとりの債権を話せません。`audio` を消すと合成音声で話します",
                "a recording cannot tell of each person's claims; without `audio` speech is made",
            )
        for place, language, words in placed(node.say, (*path, "nodes", name, "say")):
            known = (*PLACEHOLDERS, *more, *snippets[language])
            yield from check_placeholders(words, place, known)
            yield from lint(fill(words, snippets[language]), heard, place)


def _check_secrecy(script: Script, path: FieldPath) -> Iterator[Problem]:
    strangers = unconfirmed(script)
    for name, node in script.nodes.items():
        if name in strangers and _connects(node):
            yield Problem(
                (*path, "nodes", name),
                f"段 `{name}`: センターへの接続は本人確認（`outcome: confirmed`）の後だけです",
                f"node `{name}` connects to the centre before anybody is confirmed; "
                "put it behind a node with `outcome: confirmed`",
            )


def _connects(node: Node) -> bool:
    return node.then == "transfer" or node.outcome is Outcome.TRANSFERRED


def _no_such_node(script: Script, name: str, path: FieldPath) -> Problem:
    return with_suggestion(
        Problem(path, f"段 `{name}` がありません", f"there is no node `{name}`"),
        nearest(name, script.nodes),
    )
