"""PDUs as bytes and back, by ``smpplib``; its socket and its client are not used."""

from __future__ import annotations

import logging
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from smpplib import command_codes, smpp
from smpplib.exceptions import PDUError, UnknownCommandError

#: The library tells of every parameter that a carrier adds of its own.
logging.getLogger("smpplib").setLevel(logging.CRITICAL)

HEADER = 16
LARGEST = 70_000
"""Octets: a message_payload may have 64 KiB; what is longer is not SMPP."""
RESPONSE = 0x8000_0000
#: What the library raises on what it cannot read.
_UNREADABLE = (PDUError, UnknownCommandError, struct.error, ValueError, KeyError, IndexError)
_TEXTS = (
    "source_addr", "destination_addr", "message_id", "receipted_message_id", "system_id",
    "final_date",
)  # fmt: skip
_NUMBERS = ("esm_class", "data_coding", "message_state", "error_code", "dest_addr_ton")
_OCTETS = ("short_message", "message_payload")


class BadPdu(ValueError):
    """Not a PDU, or one whose body cannot be read."""


@dataclass(frozen=True, slots=True)
class Pdu:
    """What was received."""

    command: str
    status: int
    sequence: int
    texts: dict[str, str] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)
    octets: dict[str, bytes] = field(default_factory=dict)

    @property
    def message(self) -> bytes:
        """The text's octets, wherever they stand."""
        return self.octets.get("message_payload") or self.octets.get("short_message") or b""


class _Sequence:
    """What the library asks for the next number: every PDU here is given its own."""

    sequence = 0

    def next_sequence(self) -> int:
        return 0


def encode(command: str, sequence: int, fields: Mapping[str, object]) -> bytes:
    """One PDU as bytes."""
    pdu = smpp.make_pdu(command, client=_Sequence(), **fields)
    pdu.sequence = sequence
    return bytes(pdu.generate())


def bare(command: str, sequence: int, status: int = 0) -> bytes:
    """A PDU without a body: also answers whose body may be left out on errors."""
    code = command_codes.get_command_code(command)
    return struct.pack(">LLLL", HEADER, code, status, sequence)


def deliver_sm_resp(sequence: int, status: int = 0) -> bytes:
    """The answer to a receipt or an inbound message; its message_id is empty."""
    code = command_codes.get_command_code("deliver_sm_resp")
    return struct.pack(">LLLL", HEADER + 1, code, status, sequence) + b"\0"


def length(header: bytes) -> int:
    """How long the PDU that begins with ``header`` is. Raises :class:`BadPdu`."""
    (size,) = struct.unpack(">L", header[:4])
    if not HEADER <= size <= LARGEST:
        raise BadPdu(f"a length of {size}")
    return int(size)


def decode(data: bytes) -> Pdu:
    """One whole PDU. Raises :class:`BadPdu`, whose ``args`` name command and sequence."""
    _, code, status, sequence = struct.unpack(">LLLL", data[:HEADER])
    try:
        command = command_codes.get_command_name(code)
    except UnknownCommandError:
        return Pdu(f"0x{code:08x}", status, sequence)
    if len(data) == HEADER:
        return Pdu(command, status, sequence)
    try:
        pdu = smpp.parse_pdu(data, client=_Sequence(), allow_unknown_opt_params=True)
    except _UNREADABLE as error:
        raise BadPdu(command, sequence, type(error).__name__) from None
    if command == "deliver_sm" and not _whole(pdu):
        raise BadPdu(command, sequence, "cut short")
    return Pdu(
        command,
        status,
        sequence,
        {name: _text(value) for name in _TEXTS if (value := _get(pdu, name)) is not None},
        {name: value for name in _NUMBERS if isinstance(value := _get(pdu, name), int)},
        {name: value for name in _OCTETS if isinstance(value := _get(pdu, name), bytes)},
    )


def _whole(pdu: Any) -> bool:
    """The library reads a message that was cut short as if its fields were shorter or elsewhere:
    it would be somebody else's."""
    said = _get(pdu, "short_message")
    return isinstance(said, bytes) and _get(pdu, "sm_length") == len(said)


def _get(pdu: Any, name: str) -> Any:
    return getattr(pdu, name, None)


def _text(value: object) -> str:
    raw = value if isinstance(value, bytes) else str(value).encode("latin-1", "replace")
    return raw.rstrip(b"\0").decode("ascii", "replace")
