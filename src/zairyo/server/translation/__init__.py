"""Translation: raw files → standard form, as state of the catalogue."""

from zairyo.server.translation.advice import advice
from zairyo.server.translation.dispatcher import Dispatcher

__all__ = ["Dispatcher", "advice"]
