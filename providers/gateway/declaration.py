"""What a gateway's file may say, as data.

A *path* names a place in an answer: ``id``, ``data.message_id``, ``results.0.code``. A *text*
may hold ``{placeholders}`` of :data:`providers.gateway.template.PLACEHOLDERS` and of the
deployment's own values, and nothing else is interpreted in it. A *verdict* says what a code of
the carrier means for a contact that was handed over, a *meaning* what a status means for one
that it has.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, model_validator

from providers.parts import RULES
from providers.vocabulary import Cause, Channel, Outcome

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
Path = Annotated[str, Field(pattern=r"^[A-Za-z0-9_$-]+(\.[A-Za-z0-9_$-]+)*$", max_length=120)]
#: Begins at the address's root; no scheme, no host, no way up.
RequestPath = Annotated[str, Field(pattern=r"^/[A-Za-z0-9_.~/{}-]*$", max_length=200)]
Header = Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,60}$")]
Seconds = Annotated[float, Field(gt=0, le=30)]


def _word(value: object) -> object:
    """A code as the answer will be read: numbers and truth values as JSON writes them."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else value


Code = Annotated[str, BeforeValidator(_word)]


class Part(BaseModel):
    """One part of a declaration: nothing unknown, nothing changed."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Authentication(Part):
    """How requests show who sends them. ``secret`` names one of the deployment's secrets."""

    kind: Literal["bearer", "basic", "hmac", "key", "none"]
    secret: Name | None = None
    """The token, the password, or the key."""
    user: str | None = None
    """For ``basic``: a text; usually a placeholder of the deployment's values."""
    header: Header | None = None
    """For ``hmac``: where the signature goes. For ``key``: a header instead of the query."""
    parameter: str | None = None
    """For ``key``: the name in the query."""
    prefix: str = ""
    """For ``hmac``: what stands before the signature, such as ``sha256=``."""
    encoding: Literal["hex", "base64"] = "hex"
    """For ``hmac`` (SHA-256 over the body): how the signature is written."""

    @model_validator(mode="after")
    def _complete(self) -> Authentication:
        needed = {
            "bearer": self.secret,
            "basic": self.secret and self.user,
            "hmac": self.secret and self.header,
            "key": self.secret and (self.parameter or self.header),
            "none": "nothing",
        }
        if not needed[self.kind]:
            raise ValueError(
                "secret と、basic には user、hmac には header、key には parameter か header が"
                "要ります / "
                "secret is needed, and user for basic, header for hmac, parameter or header for key"
            )
        return self


class Verdict(Part):
    """What a code means for a contact that was handed over."""

    cause: Cause
    outcome: Outcome | None = None
    """Unset: what usually follows from the cause."""


class Meaning(Part):
    """What a status means for a contact that the carrier has."""

    outcome: Outcome | None = None
    """``None``: still under way."""
    final: bool = True

    @property
    def under_way(self) -> bool:
        """Whether more is to come."""
        return self.outcome is None or not self.final


def _verdict(value: object) -> object:
    return {"cause": value} if isinstance(value, str) else value


def _meaning(value: object) -> object:
    if value == "under_way":
        return {"outcome": None, "final": False}
    return {"outcome": value} if isinstance(value, str) else value


class Report(Part):
    """How one contact looks in answers and reports."""

    ref: Path
    """The carrier's identifier."""
    reference: Path | None = None
    """Our own identifier, where the carrier hands it back."""
    status: Annotated[tuple[Path, ...], Field(min_length=1, max_length=3)]
    """One or several places; the words that are there are joined by ``/``."""
    statuses: Annotated[
        dict[str, Annotated[Meaning, BeforeValidator(_meaning)]], Field(min_length=1)
    ]
    """What each status means: ``under_way`` or an outcome. One not named is ``other``."""
    at: Path | None = None
    """When it happened."""
    created: Path | None = None
    """When it was taken; needed for listings."""
    time: Literal["iso", "unix"] | str = "iso"
    """How instants are written; otherwise a pattern such as ``%Y/%m/%d %H:%M:%S``. Without a zone
    they are Japan's."""
    to: Path | None = None
    body: Path | None = None
    parts: Path | None = None
    talk_seconds: Path | None = None
    keep: tuple[Path, ...] = ()
    """What else is kept of the raw report. Nothing that names a number or a text."""


class Exchange(Part):
    """A request and where in its answer things stand."""

    method: Literal["GET", "POST", "PUT", "DELETE"] = "POST"
    path: RequestPath
    format: Literal["json", "form", "query"] = "json"
    """How the fields travel."""
    fields: dict[str, JsonValue] = {}
    """Values are texts with placeholders. A field that is a single placeholder keeps its type,
    and is left out when there is nothing to say."""
    code: Path | None = None
    """Where an answer names its code."""


class Batch(Part):
    """How several contacts travel in one request."""

    most: int = Field(ge=2, le=1000)
    field: str
    """The field that holds the list."""
    fields: dict[str, JsonValue]
    """Each contact's fields, in that list."""
    items: Path
    """The list in the answer."""
    by: Literal["order", "reference"] = "order"
    """How an item is matched to a contact."""
    reference: Path | None = None
    """Our identifier in an item, for ``by: reference``."""

    @model_validator(mode="after")
    def _matched(self) -> Batch:
        if self.by == "reference" and self.reference is None:
            raise ValueError(
                "by: reference には reference が要ります / by: reference needs reference"
            )
        return self


class Submit(Exchange):
    """Handing over. An answer with a success status is an acceptance when ``ref`` is there and
    ``code``, if it is named in ``codes``, does not say otherwise."""

    ref: Path
    """The carrier's identifier in an acceptance; within an item, for a batch."""
    parts: Path | None = None
    codes: dict[str, Annotated[Verdict, BeforeValidator(_verdict)]] = {}
    """What codes mean. A refusal with a code not named is ``unknown``: refused, cause unknown."""
    accepted_codes: tuple[Code, ...] = ()
    """If given, an acceptance must carry one of them."""
    batch: Batch | None = None


class LookUp(Exchange):
    """Asking about contacts by ``{provider_ref}``, or about several by ``{provider_refs}``."""

    method: Literal["GET", "POST", "PUT", "DELETE"] = "GET"
    format: Literal["json", "form", "query"] = "query"
    items: Path | None = None
    """The list in the answer; unset: the answer is the contact."""
    most: int = Field(default=1, ge=1, le=1000)
    """How many one question may be about."""
    not_found: tuple[Code, ...] = ()
    """Codes that say: there is no such contact. A status alone proves nothing."""


class Listing(Exchange):
    """What the carrier took for a number."""

    method: Literal["GET", "POST", "PUT", "DELETE"] = "GET"
    format: Literal["json", "form", "query"] = "query"
    items: Path
    next: Path | None = None
    """Where an answer names the next page; sent as ``{page}``. Absent or empty: the last."""
    complete_after_seconds: float = Field(ge=0, le=86_400)
    """After this long the listing surely shows what was taken."""


class ByReference(LookUp):
    """Asking by ``{reference}``, our own identifier."""

    complete_after_seconds: float = Field(ge=0, le=86_400)


class Verification(Part):
    """How a report shows that it is the carrier's. One that shows nothing is never believed."""

    kind: Literal["hmac", "bearer", "basic", "key"]
    secret: Name
    user: str | None = None
    header: Header | None = None
    parameter: str | None = None
    prefix: str = ""
    encoding: Literal["hex", "base64"] = "hex"

    @model_validator(mode="after")
    def _complete(self) -> Verification:
        needed = {"hmac": self.header, "bearer": "x", "basic": self.user, "key": self.parameter}
        if not needed[self.kind]:
            raise ValueError(
                "hmac には header、basic には user、key には parameter が要ります / "
                "header is needed for hmac, user for basic, parameter for key"
            )
        return self


class Reply(Part):
    """What the carrier wants to hear when its reports are stored."""

    status: int = Field(default=200, ge=200, le=299)
    content_type: str = "text/plain"
    body: str = ""


class Receipts(Part):
    """Reports to our address."""

    format: Literal["json", "form"] = "json"
    items: Path | None = None
    """The list of reports; unset: one report a request."""
    verify: Verification
    report: Report | None = None
    """Unset: they look as in answers."""
    answer: Reply = Reply()


class Health(Exchange):
    """A question that proves that the account works and sends nothing."""

    method: Literal["GET", "POST", "PUT", "DELETE"] = "GET"
    format: Literal["json", "form", "query"] = "query"
    has: Path
    """What a good answer contains."""


class Parts(Part):
    """How texts are divided and billed."""

    rule: str = "domestic"
    price_yen: float | None = Field(default=None, ge=0)
    """Of one part."""

    @model_validator(mode="after")
    def _known(self) -> Parts:
        if self.rule not in RULES:
            raise ValueError(
                f"使える規則は {', '.join(RULES)} です / the rules are {', '.join(RULES)}"
            )
        return self


class Limits(Part):
    """What the carrier allows and how long we wait, in seconds."""

    per_second: float | None = Field(default=None, gt=0, le=10_000)
    calls_at_once: int | None = Field(default=None, ge=1)
    connect: Seconds = 5.0
    read: Seconds = 15.0
    total: Seconds = 25.0
    pause: Seconds = 5.0
    """How long to pause when the carrier does not say."""

    @model_validator(mode="after")
    def _shorter(self) -> Limits:
        if not self.connect < self.total:
            raise ValueError("connect は total より短く / connect must be shorter than total")
        return self


class Declaration(Part):
    """A whole gateway."""

    gateway: Name
    title: str = Field(min_length=1, max_length=200)
    channel: Literal[Channel.SMS, Channel.AUTO_CALL]
    address: Name
    """Which of the deployment's addresses requests go to. Never an address itself."""
    encoding: Literal["utf-8", "cp932"] = "utf-8"
    """Of requests, answers and reports."""
    numbers: Literal["national", "e164"] = "national"
    """``09012345678`` or ``+819012345678``."""
    headers: dict[Header, str] = {}
    authentication: Authentication
    limits: Limits = Limits()
    parts: Parts = Parts()
    call_minute_yen: float | None = Field(default=None, ge=0)
    answers: Literal["json", "form"] = "json"
    submit: Submit
    report: Report
    look_up: LookUp | None = None
    by_reference: ByReference | None = None
    listing: Listing | None = None
    cancel: LookUp | None = None
    receipts: Receipts | None = None
    health: Health | None = None
    schedule_days: int | None = Field(default=None, ge=1, le=90)
    """How far ahead the carrier schedules; ``{send_at}`` must then be in ``submit``."""
    machine_detection: bool = False
    key_presses: bool = False

    @model_validator(mode="after")
    def _outcomes_come_somehow(self) -> Declaration:
        if self.look_up is None and self.receipts is None:
            raise ValueError(
                "結果を知る道がありません。look_up か receipts を書いてください / "
                "outcomes cannot be learnt: give look_up or receipts"
            )
        if self.listing is not None and not (self.report.to and self.report.created):
            raise ValueError(
                "listing には report の to と created が要ります / "
                "listing needs to and created in report"
            )
        return self
