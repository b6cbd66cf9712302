"""Configuration from the environment (``CONTACT_…``) and, for development, a ``.env`` file."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from campaigns.vocabulary import ClaimKind

#: Recordings that came with the ready-made campaigns; nobody writes there.
READY_MADE_AUDIO = Path(__file__).parent.parent / "campaigns" / "library" / "audio"


class Settings(BaseSettings):
    """What an administrator decides. Nothing secret is kept in the database."""

    model_config = SettingsConfigDict(env_prefix="CONTACT_", env_file=".env", extra="ignore")

    database_url: str | None = Field(default=None, pattern=r"^postgres(ql)?://")
    """``postgresql://…``; unset: an embedded server is started."""
    database_role: str | None = Field(default=None, pattern=r"^[a-z_][a-z0-9_]{0,62}$")
    """For ``migrate``, which is the tables' owner: the role that the service itself uses, given its
    rights anew after each migration (``store/service_role.py``)."""
    database_role_password: SecretStr | None = None
    """That role's password; unset: it has one, or needs none."""
    redis_url: str | None = Field(default=None, pattern=r"^rediss?://")
    """``redis://…``; unset: an embedded server is started."""
    state_dir: Path = Path(".contact-service")
    """Embedded servers' data, generated keys, logs."""
    keys_file: Path | None = None
    """Encryption keys; unset: ``state_dir/keys.json``, made at first start."""
    providers_file: Path | None = None
    """Which carriers there are; unset: the simulated carrier alone."""
    pacing_file: Path | None = None
    """Budgets, the centre's capacity, thresholds of automatic pauses; unset: the thresholds
    alone, as they are in ``dispatch.pacing``."""
    retention_file: Path | None = None
    """How long each class of data is kept; unset: the usual (``retention/periods.yaml``)."""
    public_url: str = ""
    """The address under which carriers reach the web application; unset: its own host and port,
    which is right for the simulated carrier alone."""
    web_host: str = "127.0.0.1"
    web_port: int = 8000
    carrier_url: str = "http://127.0.0.1:8010"
    """Where the simulated carrier listens."""
    clock: str = Field(default="system", pattern=r"^(system|file:.+)$")
    """``system``, or ``file:PATH`` for a clock that somebody else drives (see ``clock``)."""
    api_token: SecretStr | None = None
    """Bearer token of the JSON API; unset: ``state_dir/api-token``, made at first start."""
    oidc_file: Path | None = None
    """The office's identity provider and what its groups are here (``identity/oidc.py``); unset:
    everybody has a password of their own."""
    second_factor_roles: frozenset[str] = frozenset()
    """Roles that do nothing before they have set up a second factor, as a JSON list; unset: it is
    everybody's own choice."""
    office_name: str = "世田谷区役所"
    office_phone: str = "+81354321111"
    """The telephone centre's number, E.164; spoken, printed, and dialled for transfers."""
    claim_offices: dict[ClaimKind, str] = Field(default_factory=dict)
    """Names of the offices (所管課) that keep the claims, by kind, as JSON; of a kind that is not
    named here the usual name is told (``evaluation/collection.yaml``)."""
    centre_operators: int = Field(default=4, ge=1)
    """How many operators answer the telephone centre's calls, for the calendar of campaigns."""
    desk_file: Path | None = None
    """The office's sub-reasons, guided questions, support desks and script; unset: the usual ones
    (``callcentre/desk.yaml``)."""
    audio_dir: Path | None = None
    """The office's recordings that auto-call scripts name; unset: ``state_dir/audio``. Beside
    them there are those of the ready-made campaigns."""
    inbound_definition: Path | None = None
    """A definition whose script ``inbound`` is the menu for callers of a SIP trunk; unset: they
    are greeted and put through to ``office_phone``."""
    beat_seconds: float = 1.0
    """How often workers are woken to look for due work."""
    lease_seconds: float = Field(default=90.0, ge=60)
    """How long a worker may hold a batch: well over the longest request to a carrier."""
    reconcile_grace_seconds: float | None = None
    """Overrides, for tests and the demo, how long a carrier's listing may lag behind."""
    disclosure_threshold: int = Field(default=5, ge=1)
    """Reports tell no count of people from 1 to below this; 1 withholds nothing."""
    requests_per_second: float = Field(default=300, ge=1)
    """How many requests one token or session, or one address with neither that has been let in,
    may make a second, over all web processes; twice as many at once."""
    webhooks_per_second: float = Field(default=10_000, ge=1)
    """How many reports may come from one address a second, over all web processes."""
    log_format: str = Field(default="json", pattern="^(json|console)$")

    @model_validator(mode="after")
    def _reach_ourselves(self) -> Self:
        if not self.public_url:
            self.public_url = f"http://{self.web_host}:{self.web_port}"
        return self

    @property
    def sqlalchemy_url(self) -> str:
        """The database address for SQLAlchemy's psycopg 3 dialect."""
        if self.database_url is None:
            raise RuntimeError("no database is configured: set CONTACT_DATABASE_URL")
        _, _, rest = self.database_url.partition("://")
        return f"postgresql+psycopg://{rest}"

    @property
    def broker_url(self) -> str:
        """The Redis address for Celery and the rate limits."""
        if self.redis_url is None:
            raise RuntimeError("no Redis is configured: set CONTACT_REDIS_URL")
        return self.redis_url

    @property
    def own_audio(self) -> Path:
        """Where the office's recordings are put."""
        return self.audio_dir or self.state_dir / "audio"

    def recording(self, name: str) -> Path | None:
        """The recording of this name: the office's own, else a ready-made one, if any."""
        found = (folder / name for folder in (self.own_audio, READY_MADE_AUDIO))
        return next((path for path in found if path.is_file()), None)

    @property
    def keys_path(self) -> Path:
        """Where the encryption keys are."""
        return self.keys_file or self.state_dir / "keys.json"


@lru_cache
def settings() -> Settings:
    """The process's settings, read once."""
    return Settings()
