"""The audit log's lines are proven, and follow one another in a chain"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "audit_log", sa.Column("origin", sa.Text(), server_default=sa.text("''"), nullable=False)
    )
    op.add_column("audit_log", sa.Column("ref", sa.Uuid()))
    op.add_column("audit_log", sa.Column("mac", sa.LargeBinary()))
    op.create_unique_constraint(op.f("uq_audit_log_ref"), "audit_log", ["ref"])
    op.create_table(
        "audit_chain",
        sa.Column("sequence", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("entry_id", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["audit_log.id"], name=op.f("fk_audit_chain_entry_id_audit_log")
        ),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_audit_chain")),
        sa.UniqueConstraint("entry_id", name=op.f("uq_audit_chain_entry_id")),
    )
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON audit_chain "
        "FOR EACH ROW EXECUTE FUNCTION append_only()"
    )
    for table in ("audit_log", "audit_chain", "event"):
        op.execute(
            f"CREATE TRIGGER never_emptied BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION append_only()"
        )


def downgrade() -> None:
    for table in ("audit_log", "event"):
        op.execute(f"DROP TRIGGER never_emptied ON {table}")
    op.drop_table("audit_chain")
    op.drop_column("audit_log", "mac")
    op.drop_column("audit_log", "ref")
    op.drop_column("audit_log", "origin")
