"""What all tables share."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, DateTime, Identity, LargeBinary, MetaData

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Instant = DateTime(timezone=True)
"""An instant; compared and shown in Asia/Tokyo, stored as PostgreSQL does."""


def identity() -> Column[int]:
    """A generated key."""
    return Column("id", BigInteger, Identity(always=True), primary_key=True)


def secret(name: str, *, nullable: bool = True) -> Column[bytes]:
    """An encrypted value: ``store.crypto`` seals it with the table's and column's name."""
    return Column(name, LargeBinary, nullable=nullable, info={"sealed": True})
