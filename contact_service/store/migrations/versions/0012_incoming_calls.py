"""Incoming calls on the desk, calls by click, replies that an operator looks at"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "inbound_call",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("provider", sa.String(40), nullable=False),
        sa.Column("provider_ref", sa.String(80), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("came_at", _INSTANT, nullable=False),
        sa.Column("ended_at", _INSTANT),
        sa.Column("phone_id", sa.BigInteger()),
        sa.Column("number", sa.LargeBinary()),
        sa.Column("attempt_id", sa.Uuid()),
        sa.Column("due_at", _INSTANT),
        sa.Column("asked", sa.Boolean(), nullable=False),
        sa.Column("reserved_for", sa.Text()),
        sa.Column("taken_by", sa.Text()),
        sa.Column("taken_at", _INSTANT),
        sa.Column("debtor_id", sa.BigInteger()),
        sa.ForeignKeyConstraint(
            ["attempt_id"], ["attempt.id"], name=op.f("fk_inbound_call_attempt_id_attempt")
        ),
        sa.ForeignKeyConstraint(
            ["debtor_id"], ["debtor.id"], name=op.f("fk_inbound_call_debtor_id_debtor")
        ),
        sa.ForeignKeyConstraint(
            ["phone_id"], ["phone.id"], name=op.f("fk_inbound_call_phone_id_phone")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbound_call")),
        sa.UniqueConstraint(
            "provider", "provider_ref", name=op.f("uq_inbound_call_provider_provider_ref")
        ),
    )
    op.create_index(op.f("ix_inbound_call_phone_id"), "inbound_call", ["phone_id"])
    op.create_index(
        op.f("ix_inbound_call_open"),
        "inbound_call",
        ["state"],
        postgresql_where=sa.text("state <> 'closed'"),
    )
    op.alter_column("disposition", "attempt_id", nullable=True)
    op.add_column("disposition", sa.Column("inbound_call_id", sa.Uuid()))
    op.create_foreign_key(
        op.f("fk_disposition_inbound_call_id_inbound_call"),
        "disposition",
        "inbound_call",
        ["inbound_call_id"],
        ["id"],
    )
    op.create_unique_constraint(
        op.f("uq_disposition_inbound_call_id"), "disposition", ["inbound_call_id"]
    )
    op.create_check_constraint(
        op.f("ck_disposition_of_one_conversation"),
        "disposition",
        "num_nonnulls(attempt_id, inbound_call_id) = 1",
    )
    op.alter_column("promise", "target_id", nullable=True)
    op.alter_column("referral", "target_id", nullable=True)
    op.drop_constraint(op.f("fk_identity_check_attempt_id_attempt"), "identity_check")
    op.alter_column("identity_check", "attempt_id", new_column_name="conversation_id")
    op.drop_constraint(op.f("fk_operator_period_attempt_id_attempt"), "operator_period")
    op.alter_column("operator_period", "attempt_id", new_column_name="conversation_id")
    op.create_table(
        "operator_phone",
        sa.Column("operator", sa.Text(), nullable=False),
        sa.Column("number", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("operator", name=op.f("pk_operator_phone")),
    )
    op.create_table(
        "placed_call",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("conversation_id", sa.Uuid(), nullable=False),
        sa.Column("operator", sa.Text(), nullable=False),
        sa.Column("provider", sa.String(40), nullable=False),
        sa.Column("provider_ref", sa.String(80)),
        sa.Column("placed_at", _INSTANT, nullable=False),
        sa.Column("result", sa.String(12), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_placed_call")),
    )
    op.create_index(op.f("ix_placed_call_conversation_id"), "placed_call", ["conversation_id"])
    op.add_column(
        "inbound_message",
        sa.Column("says", sa.String(12), nullable=False, server_default=sa.text("'other'")),
    )
    op.add_column("inbound_message", sa.Column("taken_by", sa.Text()))
    op.add_column("inbound_message", sa.Column("done_at", _INSTANT))
    op.create_index(
        op.f("ix_inbound_message_open"),
        "inbound_message",
        ["received_at"],
        postgresql_where=sa.text("done_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_inbound_message_open"), "inbound_message")
    op.drop_column("inbound_message", "done_at")
    op.drop_column("inbound_message", "taken_by")
    op.drop_column("inbound_message", "says")
    op.drop_table("placed_call")
    op.drop_table("operator_phone")
    # what was said in incoming calls has no place in the schema before
    op.execute(
        "DELETE FROM promise p USING disposition d "
        "WHERE d.id = p.disposition_id AND d.attempt_id IS NULL"
    )
    op.execute(
        "DELETE FROM referral r USING disposition d "
        "WHERE d.id = r.disposition_id AND d.attempt_id IS NULL"
    )
    op.execute("DELETE FROM disposition WHERE attempt_id IS NULL")
    op.execute(
        "UPDATE operator_period SET conversation_id = NULL WHERE NOT EXISTS "
        "(SELECT 1 FROM attempt a WHERE a.id = conversation_id)"
    )
    op.execute(
        "DELETE FROM identity_check WHERE NOT EXISTS "
        "(SELECT 1 FROM attempt a WHERE a.id = conversation_id)"
    )
    op.alter_column("operator_period", "conversation_id", new_column_name="attempt_id")
    op.create_foreign_key(
        op.f("fk_operator_period_attempt_id_attempt"),
        "operator_period",
        "attempt",
        ["attempt_id"],
        ["id"],
    )
    op.alter_column("identity_check", "conversation_id", new_column_name="attempt_id")
    op.create_foreign_key(
        op.f("fk_identity_check_attempt_id_attempt"),
        "identity_check",
        "attempt",
        ["attempt_id"],
        ["id"],
    )
    op.alter_column("referral", "target_id", nullable=False)
    op.alter_column("promise", "target_id", nullable=False)
    op.drop_constraint(op.f("ck_disposition_of_one_conversation"), "disposition")
    op.drop_constraint(op.f("uq_disposition_inbound_call_id"), "disposition")
    op.drop_constraint(op.f("fk_disposition_inbound_call_id_inbound_call"), "disposition")
    op.drop_column("disposition", "inbound_call_id")
    op.alter_column("disposition", "attempt_id", nullable=False)
    op.drop_table("inbound_call")
