"""Mechanical tests: tension, cycles, creep, indentation, rheology."""

from zairyo.measurement.techniques._base import Technique

TECHNIQUES: tuple[Technique, ...] = ()
