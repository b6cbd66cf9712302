"""Encryption of personal data and the blind index that finds it again.

AES-256-GCM with a random nonce; the associated data is ``table.column``, so a value moved to
another place does not open. The blind index is HMAC-SHA256 with a key of its own: equal
values have equal indexes, and nobody without the key can try numbers out.

A sealed value is ``key id (1 byte) ‖ nonce (12) ‖ ciphertext and tag``.
"""

from __future__ import annotations

import base64
import hmac
import json
import os
import secrets
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from contact_service.generated import create_once

NONCE_BYTES = 12


class CannotOpen(Exception):
    """A sealed value was made with another key, for another place, or was changed."""


@dataclass(frozen=True)
class Vault:
    """Seals and opens personal data.

    ``keys`` maps a key id (0–255) to 32 bytes; ``current`` is the one that seals.
    """

    keys: dict[int, bytes]
    current: int
    index_key: bytes

    @cached_property
    def _ciphers(self) -> dict[int, AESGCM]:
        return {key_id: AESGCM(key) for key_id, key in self.keys.items()}

    @cached_property
    def audit_key(self) -> bytes:
        """Proves the audit log's lines; derived from the index key, which never changes."""
        derived = HKDF(hashes.SHA256(), 32, salt=None, info=b"contact-service audit log")
        return derived.derive(self.index_key)

    def seal(self, place: str, value: str) -> bytes:
        """Encrypt ``value`` for ``place`` (``"table.column"``)."""
        nonce = os.urandom(NONCE_BYTES)
        sealed = self._ciphers[self.current].encrypt(nonce, value.encode(), place.encode())
        return bytes([self.current]) + nonce + sealed

    def open(self, place: str, sealed: bytes) -> str:
        """Decrypt what was sealed for ``place``. Raises :class:`CannotOpen`."""
        cipher = self._ciphers.get(sealed[0]) if sealed else None
        if cipher is None:
            raise CannotOpen(f"{place}: no key with this id")
        nonce, body = sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :]
        try:
            return cipher.decrypt(nonce, body, place.encode()).decode()
        except InvalidTag:
            raise CannotOpen(f"{place}: wrong key or changed value") from None

    def index(self, kind: str, value: str) -> bytes:
        """The blind index of ``value`` among values of one ``kind`` (``"phone"``)."""
        return hmac.digest(self.index_key, f"{kind}\0{value}".encode(), "sha256")


def load_vault(path: Path) -> Vault:
    """Read the keys file. Raises ``FileNotFoundError``, ``KeyError`` or ``ValueError``."""
    content = json.loads(path.read_text())
    keys = {int(key_id): base64.b64decode(key) for key_id, key in content["keys"].items()}
    return Vault(keys, int(content["current"]), base64.b64decode(content["index_key"]))


def create_keys(path: Path) -> None:
    """Write a new keys file that only its owner can read; an existing one is left alone."""
    if not path.exists():
        content = {"current": 1, "keys": {"1": _new_key()}, "index_key": _new_key()}
        create_once(path, json.dumps(content))


def _new_key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()
