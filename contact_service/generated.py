"""Secrets that are made at first start and kept in the state folder."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def create_once(path: Path, content: str) -> None:
    """Write a file that only its owner can read, unless it is there.

    It appears whole or not at all, and only once, whoever else starts at the same moment.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(content)
    try:
        os.link(draft, path)
    except FileExistsError:
        pass  # somebody was first; theirs counts
    finally:
        draft.unlink()


def generated_secret(folder: Path, name: str) -> str:
    """The secret called ``name`` in ``folder``, made when it is not there."""
    path = folder / name
    if not path.exists():
        create_once(path, secrets.token_urlsafe(32))
    return path.read_text(encoding="utf-8").strip()
