"""What is registered of a trial before launch"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "trial_registration",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("protocol", JSONB(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("allocation_sha256", sa.String(length=64), nullable=False),
        sa.Column("clusters", JSONB(), nullable=False),
        sa.Column("warnings", JSONB(), nullable=False),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"],
            ["run.id"],
            name=op.f("fk_trial_registration_run_id_run"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_trial_registration")),
    )
    # a registration is never changed, nor taken back while its run is there
    op.execute("""
        CREATE FUNCTION registered_for_good() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'DELETE' AND NOT EXISTS (SELECT FROM run WHERE id = OLD.run_id) THEN
                RETURN OLD;
            END IF;
            RAISE EXCEPTION 'table % is append-only', TG_TABLE_NAME;
        END $$
    """)
    op.execute(
        "CREATE TRIGGER registered_for_good BEFORE UPDATE OR DELETE ON trial_registration "
        "FOR EACH ROW EXECUTE FUNCTION registered_for_good()"
    )


def downgrade() -> None:
    op.drop_table("trial_registration")
    op.execute("DROP FUNCTION registered_for_good")
