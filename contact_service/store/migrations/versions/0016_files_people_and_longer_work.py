"""Longer work asked for at a page; names found as written; restrictions lifted by two people"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0016"
down_revision = "0014"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True)
_NOT_LIFTED = sa.text("lifted_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "job",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("arguments", postgresql.JSONB(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("role", sa.String(20), nullable=False),
        sa.Column("office", sa.String(40), nullable=False),
        sa.Column("asked_at", _INSTANT, nullable=False),
        sa.Column("started_at", _INSTANT),
        sa.Column("finished_at", _INSTANT),
        sa.Column("tries", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("done", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("total", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("message", sa.Text()),
        sa.Column("result", postgresql.JSONB()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job")),
    )
    op.create_index(
        op.f("ix_job_open"),
        "job",
        ["asked_at"],
        postgresql_where=sa.text("state IN ('waiting', 'running')"),
    )
    op.create_index(op.f("ix_job_kind_asked_at"), "job", ["kind", "asked_at"])

    op.add_column("debtor", sa.Column("written_index", sa.LargeBinary()))
    op.create_index(op.f("ix_debtor_written_index"), "debtor", ["written_index"])

    op.create_table(
        "restriction_lift",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("restriction_id", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("asked_at", _INSTANT, nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("decided_at", _INSTANT),
        sa.Column("decided_by", sa.Text()),
        sa.Column("lifted", sa.Boolean()),
        sa.ForeignKeyConstraint(
            ["restriction_id"],
            ["restriction.id"],
            name=op.f("fk_restriction_lift_restriction_id_restriction"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_restriction_lift")),
    )
    op.create_index(
        op.f("uq_restriction_lift_open"),
        "restriction_lift",
        ["restriction_id"],
        unique=True,
        postgresql_where=sa.text("decided_at IS NULL"),
    )
    op.create_index(
        op.f("ix_restriction_kind_id"), "restriction", ["kind", "id"], postgresql_where=_NOT_LIFTED
    )

    op.drop_index("ix_rejected_row_source_file_id", table_name="rejected_row")
    op.create_index(
        op.f("ix_rejected_row_source_file_id"), "rejected_row", ["source_file_id", "id"]
    )
    for column in ("actor", "action", "subject"):
        op.create_index(op.f(f"ix_audit_log_{column}_id"), "audit_log", [column, "id"])


def downgrade() -> None:
    for column in ("actor", "action", "subject"):
        op.drop_index(op.f(f"ix_audit_log_{column}_id"), table_name="audit_log")
    op.drop_index("ix_rejected_row_source_file_id", table_name="rejected_row")
    op.create_index(op.f("ix_rejected_row_source_file_id"), "rejected_row", ["source_file_id"])
    op.drop_index("ix_restriction_kind_id", table_name="restriction")
    op.drop_table("restriction_lift")
    op.drop_index("ix_debtor_written_index", table_name="debtor")
    op.drop_column("debtor", "written_index")
    op.drop_table("job")
