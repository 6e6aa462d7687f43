"""Files that came one by one and belong to one run."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "part",
        sa.Column("measurement_id", number, nullable=False),
        sa.Column("whole_id", number, nullable=False),
        *(
            sa.ForeignKeyConstraint(
                [column], ["measurement.id"], name=op.f(f"fk_part_{column}"), ondelete="CASCADE"
            )
            for column in ("measurement_id", "whole_id")
        ),
        sa.PrimaryKeyConstraint("measurement_id", name=op.f("pk_part")),
    )
    op.create_index(op.f("ix_part_whole_id"), "part", ["whole_id"])
    op.add_column("measurement", sa.Column("batch", sa.String(length=64), nullable=True))
    sent = sa.text("batch IS NOT NULL")
    op.create_index(
        op.f("ix_measurement_batch_path"),
        "measurement",
        ["batch", "path"],
        sqlite_where=sent,
        postgresql_where=sent,
    )
