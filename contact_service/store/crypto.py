"""Encryption of personal data and the blind index that finds it again.

AES-256-GCM with a random nonce; the associated data is ``table.column``, so a value moved to
another place does not open. The blind index is HMAC-SHA256 with a key of its own: equal
values have equal indexes, and nobody without the key can try numbers out. Another index key is
laid over the one before it (HMAC of the older index), so that what is there is made anew without
being opened; such an index begins with the number of its generation (``store.indexing``).

A sealed value is ``key id (1 byte) ‖ nonce (12) ‖ ciphertext and tag``.
"""

from __future__ import annotations

import base64
import hmac
import json
import os
import secrets
import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from contact_service.generated import create_once

NONCE_BYTES = 12
#: So often a vault looks whether its file has changed, at most.
LOOK_SECONDS = 1.0


class IndexKeyMissing(Exception):
    """The database has been given another index key than this process can know of."""


class CannotOpen(Exception):
    """A sealed value was made with another key, for another place, or was changed."""


@dataclass(frozen=True)
class Vault:
    """Seals and opens personal data.

    ``keys`` maps a key id (0–255) to 32 bytes; ``current`` is the one that seals. A vault that
    was read from a file looks at it again about once a second: a key that was added while the
    service works seals from then on, in every process.
    """

    keys: dict[int, bytes]
    current: int
    index_key: bytes
    path: Path | None = None
    index_layers: tuple[bytes, ...] = ()
    """Index keys that came later, the oldest first."""

    @cached_property
    def _ciphers(self) -> dict[int, AESGCM]:
        return {key_id: AESGCM(key) for key_id, key in self.keys.items()}

    @cached_property
    def audit_key(self) -> bytes:
        """Proves the audit log's lines; derived from the first index key, which stays."""
        derived = HKDF(hashes.SHA256(), 32, salt=None, info=b"contact-service audit log")
        return derived.derive(self.index_key)

    @cached_property
    def _latest(self) -> _Latest:
        return _Latest(self)

    def seal(self, place: str, value: str) -> bytes:
        """Encrypt ``value`` for ``place`` (``"table.column"``)."""
        now = self._latest.vault()
        nonce = os.urandom(NONCE_BYTES)
        sealed = now._ciphers[now.current].encrypt(nonce, value.encode(), place.encode())
        return bytes([now.current]) + nonce + sealed

    def open(self, place: str, sealed: bytes) -> str:
        """Decrypt what was sealed for ``place``. Raises :class:`CannotOpen`."""
        if not sealed:
            raise CannotOpen(f"{place}: nothing is sealed here")
        cipher = self._ciphers.get(sealed[0]) or self._latest.read()._ciphers.get(sealed[0])
        if cipher is None:
            raise CannotOpen(f"{place}: no key with this id")
        nonce, body = sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :]
        try:
            return cipher.decrypt(nonce, body, place.encode()).decode()
        except InvalidTag:
            raise CannotOpen(f"{place}: wrong key or changed value") from None

    def indexes(self, kind: str, value: str) -> list[bytes]:
        """The blind indexes that ``value`` may have among values of one ``kind`` (``"phone"``),
        the newest first: what is looked for has one of them, also while they are made anew."""
        now = self._latest.vault()
        made = [hmac.digest(now.index_key, f"{kind}\0{value}".encode(), "sha256")]
        for generation, key in enumerate(now.index_layers, start=1):
            made.append(laid_over(key, generation, made[-1]))
        return made[::-1]

    def writing(self, generation: int) -> Writing:
        """What makes indexes of this generation (``store.indexing`` knows which is in force).

        Raises :class:`IndexKeyMissing`.
        """
        now = self._latest.vault()
        if len(now.index_layers) < generation:
            now = self._latest.read()
        if len(now.index_layers) < generation:
            raise IndexKeyMissing(
                f"鍵ファイルに索引の鍵（第{generation}世代）がありません。最新の鍵ファイルを写して"
                f"ください / the keys file lacks the index key {generation}: copy the newest file"
            )
        return Writing(
            now.keys, now.current, now.index_key, now.path, now.index_layers[:generation]
        )


class Writing(Vault):
    """A vault that makes indexes to be stored, all of one generation."""

    def index(self, kind: str, value: str) -> bytes:
        """The blind index of ``value`` to be written down."""
        return self.both(kind, value)[0]

    def both(self, kind: str, value: str) -> tuple[bytes, bytes | None]:
        """The same, and what it may still have been written down as by the generation before."""
        before = None
        made = hmac.digest(self.index_key, f"{kind}\0{value}".encode(), "sha256")
        for generation, key in enumerate(self.index_layers, start=1):
            before, made = made, laid_over(key, generation, made)
        return made, before


def laid_over(key: bytes, generation: int, index: bytes) -> bytes:
    """An index of one generation out of the one before it."""
    return bytes([generation]) + hmac.digest(key, index, "sha256")


class _Latest:
    """What a vault's file says now."""

    def __init__(self, first: Vault) -> None:
        self._vault = first
        self._stamp = _stamp(first.path) if first.path else None
        self._looked = time.monotonic()

    def vault(self) -> Vault:
        """The vault of the file as it was about a second ago, or later."""
        if self._vault.path is not None and time.monotonic() - self._looked > LOOK_SECONDS:
            self._looked = time.monotonic()
            if _stamp(self._vault.path) != self._stamp:
                return self.read()
        return self._vault

    def read(self) -> Vault:
        """The vault of the file as it is."""
        if self._vault.path is not None:
            self._stamp = _stamp(self._vault.path)
            self._vault = load_vault(self._vault.path)
        return self._vault


def _stamp(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_mtime_ns, found.st_ino


def load_vault(path: Path) -> Vault:
    """Read the keys file. Raises ``FileNotFoundError``, ``KeyError`` or ``ValueError``."""
    stamp = _stamp(path)  # of what is read, not of what is there when the vault is first used
    content = json.loads(path.read_text())
    keys = {int(key_id): base64.b64decode(key) for key_id, key in content["keys"].items()}
    layers = tuple(base64.b64decode(key) for key in content.get("index_layers", ()))
    index_key = base64.b64decode(content["index_key"])
    found = Vault(keys, int(content["current"]), index_key, path, layers)
    found._latest._stamp = stamp
    return found


def create_keys(path: Path) -> None:
    """Write a new keys file that only its owner can read; an existing one is left alone."""
    if not path.exists():
        content = {"current": 1, "keys": {"1": _new_key()}, "index_key": _new_key()}
        create_once(path, json.dumps(content))


def add_key(path: Path) -> int:
    """Put a new key into the keys file, which seals from now on; returns its id.

    Raises ``ValueError`` when all 256 ids are taken.
    """
    content = json.loads(path.read_text())
    key_id = max(map(int, content["keys"])) + 1
    if key_id > 255:
        raise ValueError("all 256 key ids are taken")
    content["keys"][str(key_id)] = _new_key()
    _rewrite(path, content | {"current": key_id})
    return key_id


def add_index_key(path: Path) -> int:
    """Put another index key into the keys file, to be laid over those before it; returns which
    generation it makes. Nothing is written with it until the database says so.

    Raises ``ValueError`` when there have been 254.
    """
    content = json.loads(path.read_text())
    layers = [*content.get("index_layers", ()), _new_key()]
    if len(layers) > 254:
        raise ValueError("there have been 254 index keys")
    _rewrite(path, content | {"index_layers": layers})
    return len(layers)


def remove_key(path: Path, key_id: int) -> str:
    """Take a key out of the keys file: what it sealed cannot be read any more by anybody, but for
    who gives what is returned to :func:`put_back`.

    Raises ``KeyError`` when there is none, ``ValueError`` for the one that seals.
    """
    content = json.loads(path.read_text())
    if key_id == int(content["current"]):
        raise ValueError(f"key {key_id} is the one that seals")
    key: str = content["keys"].pop(str(key_id))
    _rewrite(path, content)
    return key


def put_back(path: Path, key_id: int, key: str) -> None:
    """Put a key that was taken out back into the keys file; it opens, and does not seal."""
    content = json.loads(path.read_text())
    content["keys"][str(key_id)] = key
    _rewrite(path, content)


def _rewrite(path: Path, content: dict[str, Any]) -> None:
    """Replace the file in one step, for its owner only."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(json.dumps(content))
        file.flush()
        os.fsync(file.fileno())
    owner = path.stat()
    if os.geteuid() == 0:
        os.chown(draft, owner.st_uid, owner.st_gid)
    draft.replace(path)


def _new_key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()
