"""What core systems hand over: people, numbers, claims, payments, restrictions, files."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    Date,
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
from sqlalchemy.dialects.postgresql import JSONB

from contact_service.store.tables.base import Instant, identity, metadata, secret

source_file = Table(
    "source_file",
    metadata,
    identity(),
    Column("kind", String(20), nullable=False),  # claims, payments, restrictions, calls
    Column("layout", String(60), nullable=False),
    Column("name", Text, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("training", Boolean, nullable=False),  # sample or simulated data: never contacted live
    Column("rows", Integer, nullable=False),
    Column("accepted", Integer, nullable=False),
    Column("updated", Integer, nullable=False),
    Column("unchanged", Integer, nullable=False),
    Column("rejected", Integer, nullable=False),
    Column("skipped", Integer, nullable=False),
    Column("details", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
    Column("imported_at", Instant, nullable=False),
    Column("imported_by", Text, nullable=False),
    # whose file it is (所管課); "*": of whoever sees all, because it may hold every kind of claim
    Column("office", String(40), nullable=False, server_default=text("'*'")),
    Index("ix_source_file_sha256", "sha256"),
)

rejected_row = Table(
    "rejected_row",
    metadata,
    identity(),
    Column("source_file_id", ForeignKey(source_file.c.id), nullable=False),
    Column("line", Integer, nullable=False),  # line number in the file, from 1
    Column("column", Text),  # the heading as the file has it
    Column("reason", String(40), nullable=False),  # closed vocabulary of intake
    secret("value"),
    Index("ix_rejected_row_source_file_id", "source_file_id", "id"),
)

household = Table(
    "household",
    metadata,
    identity(),
    Column("code", String(32), nullable=False, unique=True),  # 世帯番号
)

debtor = Table(
    "debtor",
    metadata,
    identity(),
    Column("code", String(32), nullable=False, unique=True),  # 宛名番号
    Column("household_id", ForeignKey(household.c.id)),
    secret("name"),
    secret("name_kana"),
    secret("birth_date"),
    Column("birth_band", SmallInteger),  # first of the five years in which the birth date lies
    Column("name_index", LargeBinary),  # blind index of the kana, for search
    Column("written_index", LargeBinary),  # blind index of the name as written, for search
    Column("language", String(10)),  # campaigns' Language; NULL: not known
    Column("training", Boolean, nullable=False),
    Column("source_file_id", ForeignKey(source_file.c.id), nullable=False),
    Column("anonymised_at", Instant),  # made nameless: the time was over
    Index("ix_debtor_household_id", "household_id"),
    Index("ix_debtor_name_index", "name_index"),
    Index("ix_debtor_written_index", "written_index"),
)

phone = Table(
    "phone",
    metadata,
    identity(),
    secret("number", nullable=False),  # E.164
    Column("number_index", LargeBinary, nullable=False, unique=True),  # blind index of E.164
    Column("kind", String(10), nullable=False),  # NumberKind
)

debtor_phone = Table(
    "debtor_phone",
    metadata,
    Column("debtor_id", ForeignKey(debtor.c.id), primary_key=True),
    Column("phone_id", ForeignKey(phone.c.id), primary_key=True),
    Column("rank", SmallInteger, nullable=False),  # 1 = first in the file
    Index("ix_debtor_phone_phone_id", "phone_id"),
)

claim = Table(
    "claim",
    metadata,
    identity(),
    Column("debtor_id", ForeignKey(debtor.c.id), nullable=False),
    Column("kind", String(30), nullable=False),  # ClaimKind
    Column("legal_class", String(20), nullable=False),  # LegalClass
    Column("assessed_year", SmallInteger, nullable=False),  # 調定年度
    Column("attributed_year", SmallInteger, nullable=False),  # 相当年度
    Column("instalment", SmallInteger, nullable=False),  # 期別
    Column("notice_number", String(32), nullable=False),  # 通知書番号
    Column("due_on", Date, nullable=False),  # 納期限
    Column("assessed_yen", BigInteger, nullable=False),  # 調定額
    Column("collected_yen", BigInteger, nullable=False),  # 収入済額, by the claims file
    Column("outstanding_yen", BigInteger, nullable=False),
    # 未納額 now: what the latest claims file says, less payments that it does not yet contain
    Column("filed_outstanding_yen", BigInteger, nullable=False),  # 未納額, by the claims file
    Column("filed_as_of", Date, nullable=False),  # the day that the claims file describes
    Column("demand_sent_on", Date),  # 督促発送日
    Column("note", Text),
    Column("source_file_id", ForeignKey(source_file.c.id), nullable=False),
    Column("source_line", Integer, nullable=False),
    UniqueConstraint("debtor_id", "kind", "assessed_year", "notice_number", "instalment"),
    CheckConstraint("outstanding_yen >= 0", name="outstanding_not_negative"),
    Index("ix_claim_notice_number", "notice_number", "instalment"),
    Index("ix_claim_open", "debtor_id", postgresql_where=text("outstanding_yen > 0")),
)

payment = Table(
    "payment",
    metadata,
    identity(),
    Column("claim_id", ForeignKey(claim.c.id)),  # NULL: no such claim yet; kept and matched later
    Column("debtor_code", String(32), nullable=False),
    Column("kind", String(30), nullable=False),
    Column("notice_number", String(32), nullable=False),
    Column("instalment", SmallInteger, nullable=False),
    Column("paid_on", Date, nullable=False),  # 収納日
    Column("amount_yen", BigInteger, nullable=False),
    Column("method", String(20), nullable=False),
    Column("source_file_id", ForeignKey(source_file.c.id), nullable=False),
    Column("source_line", Integer, nullable=False),
    UniqueConstraint(
        "debtor_code", "kind", "notice_number", "instalment", "paid_on", "amount_yen", "method"
    ),
    Index("ix_payment_claim_id", "claim_id"),
)

restriction = Table(
    "restriction",
    metadata,
    identity(),
    Column("kind", String(30), nullable=False),  # RestrictionKind
    Column("debtor_id", ForeignKey(debtor.c.id)),
    Column("claim_id", ForeignKey(claim.c.id)),
    Column("phone_id", ForeignKey(phone.c.id)),
    Column("debtor_code", String(32)),  # of a person not (yet) in the ledger
    Column("notice_number", String(32)),
    Column("starts_on", Date, nullable=False),
    Column("ends_on", Date),  # last day; NULL: until lifted
    Column("lifted_at", Instant),
    Column("note", Text),
    # file, files (of several offices), operator, resident, staff: whose word it is
    Column("origin", String(20), nullable=False),
    # the claim that somebody named; which one a file's notice means is found later, and changes
    Column(
        "said_claim_id",
        BigInteger,
        Computed(
            "CASE WHEN origin NOT IN ('file', 'files') THEN claim_id END",
            persisted=True,
        ),
    ),
    Column("source_file_id", ForeignKey(source_file.c.id)),
    Column("source_line", Integer),
    UniqueConstraint(
        "kind",
        "debtor_code",
        "notice_number",
        "phone_id",
        "starts_on",
        "said_claim_id",
        name="uq_restriction_said_once",
        postgresql_nulls_not_distinct=True,
    ),
    Index("ix_restriction_debtor_id", "debtor_id", postgresql_where=text("lifted_at IS NULL")),
    Index(
        "ix_restriction_of_claims",
        "debtor_id",
        postgresql_where=text(
            "kind IN ('instalment_pledge', 'collection_deferred', 'seizure_deferred')"
        ),  # those that are over, too
    ),
    Index("ix_restriction_claim_id", "claim_id", postgresql_where=text("claim_id IS NOT NULL")),
    Index("ix_restriction_phone_id", "phone_id", postgresql_where=text("lifted_at IS NULL")),
    Index("ix_restriction_kind_id", "kind", "id", postgresql_where=text("lifted_at IS NULL")),
)

restriction_lift = Table(
    "restriction_lift",
    metadata,
    identity(),
    Column("restriction_id", ForeignKey(restriction.c.id), nullable=False),
    Column("reason", Text, nullable=False),
    Column("asked_at", Instant, nullable=False),
    Column("asked_by", Text, nullable=False),
    Column("decided_at", Instant),  # NULL: waits for a second person
    Column("decided_by", Text),
    Column("lifted", Boolean),  # what was decided
    Index(
        "uq_restriction_lift_open",
        "restriction_id",
        unique=True,
        postgresql_where=text("decided_at IS NULL"),
    ),
)
