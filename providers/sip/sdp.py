"""Offer and answer of the sound: which codec, where to, and how keys are told (RFC 3264)."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address

from aiosipua.sdp import (
    MediaDescription,
    SdpMessage,
    SdpNegotiationError,
    build_sdp,
    parse_sdp,
    serialize_sdp,
)

CONTENT_TYPE = "application/sdp"
PAYLOAD_TYPES = {"PCMU": 0, "PCMA": 8}
#: What we offer for key presses; what counts is what the far end answers.
OFFERED_EVENTS = 101


class NoCommonSound(ValueError):
    """The far end's description offers nothing that we speak."""


@dataclass(frozen=True, slots=True)
class Sound:
    """What both ends agreed on."""

    codec: str
    payload_type: int
    events: tuple[int, ...]
    """RTP payload types of key presses (RFC 4733): the far end's, and ours where we offered one,
    since either side sends with the number that the other asked for (RFC 3264, 6.1) and many
    send with their own. None: the far end sends no keys."""
    address: tuple[str, int]
    """Where our packets go."""
    sends: bool = True
    """Whether the far end will send sound; not while it holds the call."""


def offer(address: str, port: int, codecs: tuple[str, ...], version: int) -> str:
    """A description that offers ``codecs``, best first. ``version`` grows with each one."""
    described = _base(address, port, codecs, OFFERED_EVENTS, version)
    return serialize_sdp(described)


def answer(
    theirs: str, address: str, port: int, codecs: tuple[str, ...], version: int
) -> tuple[str, Sound]:
    """Our answer to an offer, and what it settles. Raises :class:`NoCommonSound`."""
    sound = agreed(theirs, codecs)
    described = _base(address, port, (sound.codec,), next(iter(sound.events), None), version)
    ours = described.media[0]
    offered = parse_sdp(theirs)
    if not sound.sends:  # they hold the call: we keep sending nothing new
        ours.attributes.pop("sendrecv", None)
        ours.attributes["recvonly" if _audio(offered).direction == "sendonly" else "inactive"] = []
    described.media = [
        ours
        if media is _audio(offered)
        else MediaDescription(media.media, 0, media.proto, list(media.formats))
        for media in offered.media
    ]
    return serialize_sdp(described), sound


def agreed(theirs: str, codecs: tuple[str, ...], *, offered: bool = False) -> Sound:
    """What the far end's description settles, where ``offered`` as the answer to our offer.

    Raises :class:`NoCommonSound`.
    """
    try:
        described = parse_sdp(theirs)
        audio = _audio(described)
    except (ValueError, SdpNegotiationError) as error:
        raise NoCommonSound("no readable description") from error
    where = audio.connection or described.connection
    if where is None or not 0 < audio.port < 65536:
        raise NoCommonSound("no address for the sound")
    try:
        ip_address(where.address)
    except ValueError:  # a name would be looked up for every packet, while all calls wait
        raise NoCommonSound("an address for the sound that is none") from None
    by_type = {number: name for name, number in PAYLOAD_TYPES.items() if name in codecs}
    chosen = next(
        (one.payload_type for one in audio.codecs if one.payload_type in by_type),
        None,
    )
    if chosen is None:
        raise NoCommonSound("no common codec")
    names = {one.payload_type: one.encoding_name.lower() for one in audio.codecs}
    events = tuple(
        one.payload_type
        for one in audio.codecs
        if names[one.payload_type] == "telephone-event" and one.clock_rate in (0, 8000)
    )
    if events and offered and OFFERED_EVENTS not in names:
        events = (*events, OFFERED_EVENTS)
    held = where.address == "0.0.0.0" or audio.direction in ("sendonly", "inactive")
    address = (where.address, audio.port)
    return Sound(by_type[chosen], chosen, events, address, sends=not held)


def _audio(described: SdpMessage) -> MediaDescription:
    audio = described.audio
    if audio is None:
        raise NoCommonSound("no audio")
    return audio


def _base(
    address: str, port: int, codecs: tuple[str, ...], events: int | None, version: int
) -> SdpMessage:
    first, *others = codecs
    described = build_sdp(
        address, port, PAYLOAD_TYPES[first], first, 8000, events or 0, session_id="1"
    )
    described.origin.session_version = str(version)
    media = described.media[0]
    for name in others:
        number = PAYLOAD_TYPES[name]
        media.formats.insert(media.formats.index(str(PAYLOAD_TYPES[first])) + 1, str(number))
        media.attributes["rtpmap"].insert(1, f"{number} {name}/8000")
    return described
