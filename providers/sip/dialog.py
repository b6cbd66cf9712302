"""Building the messages of one dialog (RFC 3261, 12), and where they go."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import ip_address

from aiosipua.auth import SipDigestAuth, answer_challenge
from aiosipua.headers import CSeq, Via, parse_address, parse_uri, stringify_cseq, stringify_via
from aiosipua.message import SipMessage, SipRequest, SipResponse
from aiosipua.utils import format_addr, generate_branch, generate_call_id, generate_tag

from providers.sip.transactions import Address

ALLOW = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, NOTIFY"
USER_AGENT = "contact-service"
PHRASES = {
    100: "Trying", 180: "Ringing", 200: "OK", 400: "Bad Request", 403: "Forbidden",
    405: "Method Not Allowed", 481: "Call/Transaction Does Not Exist", 486: "Busy Here",
    487: "Request Terminated", 488: "Not Acceptable Here", 503: "Service Unavailable",
}  # fmt: skip


@dataclass
class Dialog:
    """Both ends' names, tags and numbers; what a request within it looks like."""

    local_uri: str
    remote_uri: str
    contact: str
    """Our own address, for the far end's requests."""
    via: Address
    """Our address as it stands in Via."""
    call_id: str = ""
    local_tag: str = field(default_factory=generate_tag)
    remote_tag: str = ""
    remote_target: str = ""
    routes: list[str] = field(default_factory=list)
    sequence: int = 0

    def __post_init__(self) -> None:
        self.call_id = self.call_id or generate_call_id(self.via[0])
        self.remote_target = self.remote_target or self.remote_uri

    def request(self, method: str, body: str = "", content_type: str = "") -> SipRequest:
        """The next request. An ACK has the number of the INVITE it belongs to."""
        if method != "ACK":
            self.sequence += 1
        made = SipRequest(method=method, uri=self.remote_target)
        via = Via("SIP/2.0", "UDP", *self.via, {"branch": generate_branch(), "rport": None})
        made.headers.append("Via", stringify_via(via))
        for route in self.routes:
            made.headers.append("Route", route)
        made.headers.set_single("From", f"<{self.local_uri}>;tag={self.local_tag}")
        tag = f";tag={self.remote_tag}" if self.remote_tag else ""
        made.headers.set_single("To", f"<{self.remote_uri}>{tag}")
        made.headers.set_single("Call-ID", self.call_id)
        made.headers.set_single("CSeq", stringify_cseq(CSeq(self.sequence, method)))
        made.headers.set_single("Max-Forwards", "70")
        made.headers.set_single("Contact", f"<{self.contact}>")
        made.headers.set_single("Allow", ALLOW)
        made.headers.set_single("User-Agent", USER_AGENT)
        if body:
            made.headers.set_single("Content-Type", content_type)
            made.text = body
        return made

    def learn(self, response: SipResponse) -> None:
        """What the far end's answer to an INVITE says of it (RFC 3261, 12.1.2)."""
        to = response.to_addr
        if to is not None and to.tag:
            self.remote_tag = to.tag
        self.retarget(response)
        routes = response.headers.get("record-route")
        if routes:
            self.routes = list(reversed(routes))

    def retarget(self, message: SipMessage) -> None:
        """A Contact names where the next requests go."""
        if contacts := message.headers.get("contact"):
            target = uri_in(contacts[0])
            if target:
                self.remote_target = target

    def next_hop(self, otherwise: Address) -> Address:
        """Where requests are sent: the first route, else the far end's own address; where that
        is a name and no address, or no port, the trunk, which led us there."""
        uri = uri_in(self.routes[0]) if self.routes else self.remote_target
        if uri == self.remote_uri:  # it named no address of its own
            return otherwise
        try:
            parsed = parse_uri(uri)
            version = ip_address(parsed.host.strip("[]")).version
        except ValueError:
            return otherwise
        port = parsed.port or 5060
        # a port that there is not would close the socket that all calls share
        if not 0 < port < 65536 or version != ip_address(otherwise[0]).version:
            return otherwise
        return parsed.host.strip("[]"), port

    def matches(self, request: SipRequest) -> bool:
        """Whether a request belongs here, by its tags."""
        ours, theirs = request.to_addr, request.from_addr
        return (
            ours is not None
            and theirs is not None
            and ours.tag == self.local_tag
            and theirs.tag == self.remote_tag
        )


def uri_in(value: str) -> str:
    """The address inside a header such as ``"Name" <sip:x@y>;p=1``."""
    if "<" in value:
        return value.partition("<")[2].partition(">")[0]
    return value.partition(";")[0].strip()


def incoming(invite: SipRequest, contact: str, via: Address) -> Dialog:
    """The dialog that an incoming INVITE opens (RFC 3261, 12.1.1)."""
    theirs = parse_address(invite.headers.get_first("from") or "")
    ours = invite.headers.get_first("to") or ""
    made = Dialog(
        local_uri=uri_in(ours),
        remote_uri=uri_in(invite.headers.get_first("from") or ""),
        contact=contact,
        via=via,
        call_id=invite.call_id or "",
        remote_tag=theirs.tag or "",
        routes=list(invite.headers.get("record-route")),
    )
    made.retarget(invite)
    return made


def respond(
    request: SipRequest, code: int, *, tag: str = "", contact: str = "", body: str = ""
) -> SipResponse:
    """An answer to a request (RFC 3261, 8.2.6)."""
    made = SipResponse(status_code=code, reason_phrase=PHRASES.get(code, "Answer"))
    for name in ("Via", "From", "Call-ID", "CSeq", "Record-Route"):
        for value in request.headers.get(name):
            made.headers.append(name, value)
    to = request.headers.get_first("to") or ""
    if tag and code > 100 and ";tag=" not in to.partition(">")[2]:
        to += f";tag={tag}"
    made.headers.set_single("To", to)
    if contact:
        made.headers.set_single("Contact", f"<{contact}>")
    made.headers.set_single("Allow", ALLOW)
    if body:
        made.headers.set_single("Content-Type", "application/sdp")
        made.text = body
    return made


def cancel_of(invite: SipRequest) -> SipRequest:
    """The CANCEL of an INVITE: the same branch and number (RFC 3261, 9.1)."""
    made = SipRequest(method="CANCEL", uri=invite.uri)
    for name in ("Via", "From", "To", "Call-ID"):
        made.headers.set_single(name, invite.headers.get_first(name) or "")
    for route in invite.headers.get("route"):
        made.headers.append("Route", route)
    cseq = invite.cseq
    made.headers.set_single("CSeq", stringify_cseq(CSeq(cseq.seq if cseq else 1, "CANCEL")))
    made.headers.set_single("Max-Forwards", "70")
    return made


def authorise(request: SipRequest, refusal: SipResponse, credentials: SipDigestAuth | None) -> bool:
    """Add to ``request`` the answer to a 401 or 407; ``False`` when there is none to give."""
    if credentials is None:
        return False
    try:
        header = answer_challenge(
            credentials, refusal, refusal.status_code, request.method, request.uri
        )
    except ValueError:
        return False
    if header is None:
        return False
    request.headers.set_single(*header)
    return True


def sip_uri(user: str, host: str, port: int | None = None) -> str:
    """``sip:user@host:port``."""
    where = format_addr(host, port) if port is not None else host
    return f"sip:{user}@{where}" if user else f"sip:{where}"
