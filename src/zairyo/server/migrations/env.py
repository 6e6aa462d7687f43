"""Alembic's entry: runs the migrations on the connection that ``db.migrate`` opened and locked."""

from __future__ import annotations

from typing import Any

from alembic import context

from zairyo.server.models import Base

#: Full-text tables are made by migrations in each engine's own SQL; no model describes them.
FULL_TEXT = "search_"


def described(name: str | None, kind: str, _parents: Any) -> bool:
    """Whether a model is expected to describe this table."""
    return not (kind == "table" and name is not None and name.startswith(FULL_TEXT))


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    include_name=described,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
