"""What a campaign definition may say, as data.

A definition is read by ``campaigns.parse``, checked by ``campaigns.check`` and compiled to
SQL by ``contact_service.planning``. Times of day are Asia/Tokyo; money is yen.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from campaigns.conditions import Condition, Selection, put_in
from campaigns.exclusions import Exclusion
from campaigns.guidance import GUIDANCE
from campaigns.hours import CallBacks, Caps, Quiet
from campaigns.hours import Hours as Hours
from campaigns.hours import Session as Session
from campaigns.hours import Window as Window
from campaigns.parts import Duration as Duration
from campaigns.parts import Name, Part
from campaigns.parts import Range as Range
from campaigns.parts import TimeOfDay as TimeOfDay
from campaigns.steps import Fallback as Fallback
from campaigns.steps import Retry as Retry
from campaigns.steps import Start as Start
from campaigns.steps import Step as Step
from campaigns.texts import Text, fill
from campaigns.trial import Allocation as Allocation
from campaigns.trial import PrimaryOutcome as PrimaryOutcome
from campaigns.trial import Stratum as Stratum
from campaigns.trial import Trial as Trial
from campaigns.vocabulary import Language, Outcome


class Lifted(Part):
    """An exclusion that this campaign lifts. Only some may be; the approver is shown them."""

    exclusion: Exclusion
    """Which."""
    reason: str = Field(min_length=10, max_length=500)
    """Why, in a sentence that the approver reads."""


class Arm(Part):
    """One arm of the trial."""

    name: Name
    """What steps call the arm."""
    weight: int = Field(default=1, ge=1, le=100)
    """Its share: 2 beside 1 and 1 is half of all."""
    holdout: bool = False
    """Left alone, to measure against."""
    title: str = Field(default="", max_length=100)
    """What reports call it."""


AUDIO_NAME = r"^[a-z0-9][a-z0-9_-]{0,59}\.wav$"
"""What a recording's file may be called."""


class Node(Part):
    """One place in an auto-call's script: speak, then branch, transfer or end."""

    say: Text
    """What is spoken. Placeholders only, no expressions. Behind a confirmation it may tell of the
    person's own claims, as letters may; where somebody else has the number too, or nothing is owed
    any more, the office asks to be called instead."""
    audio: Annotated[str, Field(pattern=AUDIO_NAME)] | None = None
    """A recording of ``say`` in the default language (a WAV file in the office's audio folder),
    played instead of it."""
    keys: dict[Annotated[str, Field(pattern=r"^[0-9*#]$")], Name] = Field(default={})
    """Which key leads to which node."""
    otherwise: Name | None = None
    """Where to go when no key, or another key, was pressed."""
    then: Literal["keys", "transfer", "hang_up"] = "hang_up"
    """What follows the words: wait for a key, connect to the telephone centre, or end."""
    outcome: Outcome | None = None
    """What reaching this node means."""


class Script(Part):
    """An auto-call as a graph of nodes; it begins at ``start``."""

    start: Name
    """The node that is spoken when somebody, or a machine, picks up."""
    voicemail: Name | None = None
    """The node that an answering machine hears after its tone, where the carrier can tell."""
    nodes: dict[Name, Node]
    """The nodes by name."""


class Costs(Part):
    """What a contact costs, in yen, for the report."""

    sms_part_yen: float = Field(default=12.0, ge=0)
    """One billed part of an SMS."""
    call_minute_yen: float = Field(default=18.0, ge=0)
    """One minute of an auto-call."""
    operator_hour_yen: float = Field(default=2800.0, ge=0)
    """One hour of an operator."""
    letter_yen: float = Field(default=110.0, ge=0)
    """One letter, postage included."""


class Definition(Part):
    """A whole campaign definition."""

    campaign: Name
    """The campaign's short name, for files and addresses."""
    title: str = Field(min_length=1, max_length=100)
    """What staff and reports call it."""
    purpose: str = Field(default="", max_length=1000)
    """Why it is done, in a sentence or two."""
    whom: Selection = Field(alias="select")
    """Which claims."""
    selections: dict[Name, Condition] = Field(default={})
    """Conditions with names, for ``use``."""
    lift: tuple[Lifted, ...] = ()
    """Exclusions that do not apply here; all others always do."""
    hours: Hours
    """When, by day of the week."""
    caps: Caps = Caps()
    """How often, at most."""
    quiet: Quiet = Quiet()
    """How long people are left alone after something has happened."""
    call_backs: CallBacks = CallBacks()
    """How many calls to the centre it may cause."""
    arms: tuple[Arm, ...] = Field(min_length=1)
    """The groups that are compared."""
    allocation: Allocation
    """How people come into the groups."""
    steps: tuple[Step, ...] = Field(min_length=1)
    """What is done, in order of start."""
    default_language: Language = Language.JA
    """What people are written and spoken to in whose own language is unknown or not there."""
    messages: dict[Name, Text] = Field(default={})
    """Texts of SMS and letters. Placeholders only, no expressions."""
    snippets: dict[Name, Text] = Field(default={})
    """Texts with names, put in where a message or a script says ``{their-name}``."""
    scripts: dict[Name, Script] = Field(default={})
    """Auto-calls."""
    trial: Trial = Trial()
    """What the trial is decided by."""
    costs: Costs = Costs()
    """What contacts cost."""

    @property
    def select(self) -> Selection:
        """Which claims, with the named selections put in: what planning compiles."""
        return put_in(self.whom, self.selections)

    def language_of(self, text: Text, wanted: Language | None = None) -> Language:
        """The language in which somebody gets a text whose own is ``wanted``."""
        return text.language_for(wanted, self.default_language)

    def words(self, text: Text, wanted: Language | None = None) -> str:
        """A message or what a node says, in the language for ``wanted``, snippets put in.

        Placeholders of the office's are left for ``campaigns.messages.render``.
        """
        language = self.language_of(text, wanted)
        return fill(text.languages[language], self.snippets_in(language))

    def snippets_in(self, language: Language) -> dict[str, str]:
        """The text of each snippet, ready ones and the definition's own, in a language."""
        ready = {name: guidance.text for name, guidance in GUIDANCE.items()} | self.snippets
        return {
            name: text.languages[text.language_for(language, self.default_language)]
            for name, text in ready.items()
            if {language, self.default_language} & set(text.languages)
        }

    def step(self, name: str) -> Step:
        """The step called ``name``. Raises ``KeyError``."""
        for step in self.steps:
            if step.name == name:
                return step
        raise KeyError(name)

    def arms_of(self, step: Step) -> tuple[str, ...]:
        """The names of the arms that ``step`` is for."""
        return step.arms or tuple(arm.name for arm in self.arms if not arm.holdout)
