"""Who may come in: accounts, their sessions, and tokens of other systems.

Everything here goes by the database's own clock, not by the service's: a simulated week must
not end anybody's session.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from contact_service.store.tables.base import Instant, identity, metadata, secret

user_account = Table(
    "user_account",
    metadata,
    identity(),
    Column("name", String(40), nullable=False, unique=True),  # what one signs in with
    Column("shown_name", String(100), nullable=False),
    Column("role", String(20), nullable=False),
    Column("office", String(40), nullable=False),  # "*": all offices
    Column("password_hash", Text),  # Argon2id, with its parameters; NULL: enters by OIDC
    Column("password_set_at", Instant, nullable=False),
    Column("must_change", Boolean, nullable=False),  # the password was given by somebody else
    secret("totp_secret"),
    Column("totp_confirmed_at", Instant),
    Column("totp_last_step", BigInteger),  # a code counts once
    Column("failures", Integer, nullable=False, server_default=text("0")),
    Column("locked_until", Instant),
    Column("disabled_at", Instant),
    Column("created_at", Instant, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("oidc_issuer", Text),  # whose word counts for this account
    Column("oidc_subject", String(255)),  # and under which name the issuer knows the person
    UniqueConstraint("oidc_issuer", "oidc_subject"),
    CheckConstraint("(password_hash IS NULL) = (oidc_subject IS NOT NULL)", name="one_way_in"),
)

user_session = Table(
    "user_session",
    metadata,
    identity(),
    Column("token_hash", LargeBinary, nullable=False, unique=True),  # SHA-256 of the cookie
    Column("user_id", BigInteger, ForeignKey("user_account.id"), nullable=False),
    Column("form_token", String(64), nullable=False),  # what our own forms carry
    Column("opened_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("address", String(45), nullable=False),
    Column("agent", String(200), nullable=False),
    Index("ix_user_session_user_id", "user_id"),
)

known_browser = Table(  # wrong tries from there are counted by themselves
    "known_browser",
    metadata,
    identity(),
    Column("token_hash", LargeBinary, nullable=False),  # SHA-256 of the cookie; one for a desk
    Column("user_id", BigInteger, ForeignKey("user_account.id"), nullable=False),
    Column("seen_at", Instant, nullable=False),  # they last signed in there
    Column("failures", Integer, nullable=False, server_default=text("0")),
    Column("locked_until", Instant),
    UniqueConstraint("token_hash", "user_id"),
    Index("ix_known_browser_user_id", "user_id"),
)

api_token = Table(
    "api_token",
    metadata,
    identity(),
    Column("label", String(60), nullable=False),  # which system or person holds it
    Column("token_hash", LargeBinary, nullable=False, unique=True),  # SHA-256
    Column("role", String(20), nullable=False),
    Column("office", String(40), nullable=False),  # "*": all offices
    Column("scopes", ARRAY(String(30)), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("used_at", Instant),  # to the minute
    Column("revoked_at", Instant),
    Column("revoked_by", Text),
)

# A write that names a key is done once: said again within a day, the first answer is given again.
idempotency_key = Table(
    "idempotency_key",
    metadata,
    Column("token_id", BigInteger, ForeignKey("api_token.id"), primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("fingerprint", LargeBinary, nullable=False),  # of method, address and body
    Column("begun_at", Instant, nullable=False),
    Column("status", SmallInteger),  # NULL: not finished, or nobody knows what came of it
    Column("media_type", String(80)),
    secret("body"),
    Index("ix_idempotency_key_begun_at", "begun_at"),
)

#: Wishes to do what concerns many people at once; a second person decides (identity.bulk_access).
bulk_access = Table(
    "bulk_access",
    metadata,
    identity(),
    Column("kind", String(20), nullable=False),
    Column("subject", Text, nullable=False),  # what is asked for; '' where the kind says it
    Column("reason", Text, nullable=False),
    Column("asked_at", Instant, nullable=False),
    Column("asked_by", Text, nullable=False),
    Column("decided_at", Instant),
    Column("decided_by", Text),
    Column("granted", Boolean),
    Column("office", String(40), nullable=False, server_default=text("'*'")),  # the asker's
    CheckConstraint("decided_by IS NULL OR decided_by <> asked_by", name="two_persons"),
    Index(
        "uq_bulk_access_undecided",
        "kind",
        "subject",
        "asked_by",
        unique=True,
        postgresql_where=text("decided_at IS NULL"),
    ),
)
