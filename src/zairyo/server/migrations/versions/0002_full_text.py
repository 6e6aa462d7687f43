"""The full-text index, in each engine's own way."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_context().dialect.name == "sqlite":
        # The tokens are made by zairyo.server.search.tokens; ascii only splits them at the spaces.
        op.execute("CREATE VIRTUAL TABLE search_text USING fts5(tokens, tokenize = 'ascii')")
        return
    op.execute(
        "CREATE TABLE search_text ("
        " measurement_id bigint PRIMARY KEY REFERENCES measurement (id) ON DELETE CASCADE,"
        " tokens tsvector NOT NULL)"
    )
    op.execute("CREATE INDEX ix_search_text_tokens ON search_text USING gin (tokens)")
