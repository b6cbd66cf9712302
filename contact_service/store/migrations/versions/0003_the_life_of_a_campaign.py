"""The life of a campaign: states of versions, transitions, runs that are not frozen yet"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

#: What runs were called before, and are now.
RENAMED = {"planned": "scheduled", "stopped": "cancelled"}


def upgrade() -> None:
    op.add_column(
        "campaign_version",
        sa.Column("state", sa.String(12), nullable=False, server_default=sa.text("'draft'")),
    )
    op.execute(
        "UPDATE campaign_version SET state = "
        "CASE WHEN approved_at IS NULL THEN 'submitted' ELSE 'approved' END"
    )
    op.add_column("run", sa.Column("frozen_at", sa.DateTime(timezone=True)))
    op.execute("UPDATE run SET frozen_at = planned_at")
    for old, new in RENAMED.items():
        op.execute(f"UPDATE run SET state = '{new}' WHERE state = '{old}'")
    op.create_table(
        "campaign_transition",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("campaign_version_id", sa.BigInteger(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=True),
        sa.Column("action", sa.String(12), nullable=False),
        sa.Column("before", sa.String(12), nullable=True),
        sa.Column("after", sa.String(12), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("role", sa.String(20), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_version_id"],
            ["campaign_version.id"],
            name=op.f("fk_campaign_transition_campaign_version_id_campaign_version"),
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["run.id"], name=op.f("fk_campaign_transition_run_id_run")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign_transition")),
    )
    for column in ("campaign_version_id", "run_id"):
        op.create_index(f"ix_campaign_transition_{column}", "campaign_transition", [column])
    # who wrote, approved and started what is there already
    op.execute("""
        INSERT INTO campaign_transition (campaign_version_id, action, before, after, at, actor,
            role, reason)
        SELECT id, 'submit', NULL, 'submitted', created_at, created_by, 'staff', ''
        FROM campaign_version
        UNION ALL
        SELECT id, 'approve', 'submitted', 'approved', approved_at, approved_by, 'approver', ''
        FROM campaign_version WHERE approved_at IS NOT NULL
    """)
    op.execute("""
        INSERT INTO campaign_transition (campaign_version_id, run_id, action, before, after, at,
            actor, role, reason)
        SELECT campaign_version_id, id, 'start', 'scheduled', 'running', planned_at, planned_by,
            'system', '' FROM run WHERE state <> 'scheduled'
    """)


def downgrade() -> None:
    op.drop_table("campaign_transition")
    for old, new in RENAMED.items():
        op.execute(f"UPDATE run SET state = '{old}' WHERE state = '{new}'")
    op.drop_column("run", "frozen_at")
    op.drop_column("campaign_version", "state")
