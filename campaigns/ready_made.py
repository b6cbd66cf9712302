"""The ready-made definitions, and where a name given by staff leads."""

from __future__ import annotations

from pathlib import Path

from campaigns.wording import nearest

LIBRARY = Path(__file__).parent / "library"


class NoSuchDefinition(Exception):
    """Neither a file nor a ready-made definition has this name."""


def library() -> dict[str, Path]:
    """The ready-made definitions by name, in order."""
    return {path.stem: path for path in sorted(LIBRARY.glob("*.yaml"))}


def locate(name_or_path: str) -> Path:
    """The file of a path or of a ready-made definition's name.

    Raises :class:`NoSuchDefinition`, with the nearest name.
    """
    ready_made = library()
    if name_or_path in ready_made:
        return ready_made[name_or_path]
    path = Path(name_or_path)
    if path.is_file():
        return path
    near = nearest(path.stem, ready_made)
    ja, en = (f"; `{near}` ですか", f"; did you mean `{near}`?") if near else ("", "")
    raise NoSuchDefinition(
        f"`{name_or_path}` というファイルも、用意された計画もありません{ja} / "
        f"there is no file and no ready-made definition `{name_or_path}`{en}"
    )
