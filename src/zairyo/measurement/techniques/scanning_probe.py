"""Scanning probe microscopy and surface topography: maps of height and force, curves at a point."""

from zairyo.measurement.techniques._base import Technique

TECHNIQUES: tuple[Technique, ...] = ()
