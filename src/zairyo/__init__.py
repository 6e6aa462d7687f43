"""Zairyo (材料): a materials laboratory's data, from the instrument to the next experiment."""

__version__ = "0.1.0"
