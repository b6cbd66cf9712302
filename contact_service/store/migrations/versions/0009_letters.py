"""Letters: people whom no number reaches, and what was handed to the office's own mailing"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.alter_column("target", "phone_id", nullable=True)
    op.alter_column("target", "phone_kind", nullable=True)
    op.alter_column("attempt", "phone_id", nullable=True)
    op.create_check_constraint(
        op.f("ck_attempt_letters_need_no_number"),
        "attempt",
        "(phone_id IS NULL) = (channel = 'letter')",
    )
    op.create_table(
        "letter_batch",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("step", sa.String(40), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("letters", sa.Integer(), nullable=False),
        sa.Column("handed_over_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("handed_over_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_letter_batch_run_id_run")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_letter_batch")),
        sa.UniqueConstraint(
            "run_id", "step", "number", name=op.f("uq_letter_batch_run_id_step_number")
        ),
    )
    op.create_table(
        "letter_line",
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("letter", sa.Integer(), nullable=False),
        sa.Column("attempt_id", sa.Uuid(), nullable=False),
        sa.Column("claim_id", sa.BigInteger(), nullable=False),
        sa.Column("outstanding_yen", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["letter_batch.id"], name=op.f("fk_letter_line_batch_id_letter_batch")
        ),
        sa.ForeignKeyConstraint(
            ["attempt_id"], ["attempt.id"], name=op.f("fk_letter_line_attempt_id_attempt")
        ),
        sa.ForeignKeyConstraint(
            ["claim_id"], ["claim.id"], name=op.f("fk_letter_line_claim_id_claim")
        ),
        sa.PrimaryKeyConstraint("batch_id", "line", name=op.f("pk_letter_line")),
    )


def downgrade() -> None:
    """Only while there are no letters: what has no number cannot be kept."""
    op.drop_table("letter_line")
    op.drop_table("letter_batch")
    op.drop_constraint(op.f("ck_attempt_letters_need_no_number"), "attempt")
    op.alter_column("attempt", "phone_id", nullable=False)
    op.alter_column("target", "phone_kind", nullable=False)
    op.alter_column("target", "phone_id", nullable=False)
