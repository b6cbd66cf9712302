"""Which layout a file has."""

from __future__ import annotations

from pathlib import Path

from contact_service.intake.faults import FileRefused
from contact_service.intake.fields import FILE_KIND_JA, FileKind
from contact_service.intake.layout import Layout, named, shipped
from contact_service.intake.reading import Survey, opened, survey


def detect(path: Path, kind: FileKind, layout: str | Path | None) -> tuple[Layout, Survey]:
    """The layout asked for, or the shipped one that fits best, and what the file's bytes tell.

    Raises :class:`FileRefused` when the file fits none, saying what is missing.
    """
    candidates = shipped() if layout is None else (named(layout),)
    ours = [candidate for candidate in candidates if candidate.kind is kind]
    if not ours:
        other = candidates[0]
        raise FileRefused(
            f"レイアウト {other.name} は{FILE_KIND_JA[other.kind]}（{other.kind}）用です。"
            f"{FILE_KIND_JA[kind]}（{kind}）用を指定してください",
            f"layout {other.name} is for {other.kind}; name one for {kind}",
        )
    known = (*candidates, *shipped())  # to tell what else the file may be
    found = survey(path, {encoding for each in known for encoding in each.encodings})
    headings = {each.name: _headings(path, each, found) for each in ours}
    fitting = [each for each in ours if not each.missing(headings[each.name])]
    if fitting:
        return max(fitting, key=lambda each: len(each.places(headings[each.name]))), found
    nearest = min(ours, key=lambda each: len(each.missing(headings[each.name])))
    _refuse_another_kind(path, kind, found)
    missing = "、".join(nearest.missing(headings[nearest.name]))
    raise FileRefused(
        f"{path.name} は{FILE_KIND_JA[kind]}として取り込めません。必要な列がありません: {missing}"
        f"（レイアウト {nearest.name}）。列を足すか、--layout で別のレイアウトを指定してください",
        f"{path.name} is no {kind} file by layout {nearest.name}: these columns are missing: "
        f"{missing}; add them or name another --layout",
    )


def _headings(path: Path, layout: Layout, found: Survey) -> list[str]:
    with opened(path, layout, found) as table:
        return table.headings


def _refuse_another_kind(path: Path, kind: FileKind, found: Survey) -> None:
    """Say so when the file is plainly of another kind."""
    for other in shipped():
        decodable = found.has_bom or found.is_excel or set(other.encodings) - set(found.undecodable)
        if other.kind is kind or not decodable:
            continue
        if not other.missing(_headings(path, other, found)):
            raise FileRefused(
                f"{path.name} は{FILE_KIND_JA[kind]}ではなく{FILE_KIND_JA[other.kind]}のようです。"
                f"contact-service intake {other.kind} で取り込んでください",
                f"{path.name} looks like a {other.kind} file, not {kind}; "
                f"use contact-service intake {other.kind}",
            )
