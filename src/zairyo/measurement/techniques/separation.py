"""Chromatography and mass spectrometry: what comes out when, and how heavy it is."""

from zairyo.measurement.techniques._base import Technique

TECHNIQUES: tuple[Technique, ...] = ()
