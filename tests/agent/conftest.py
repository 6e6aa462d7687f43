"""Fixtures of a real server."""

from tests.live import live, live_postgres, shared_live

__all__ = ["live", "live_postgres", "shared_live"]
