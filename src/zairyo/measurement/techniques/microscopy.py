"""Electron microscopy: images, diffraction, X-ray and energy-loss spectra with a place each."""

from zairyo.measurement.techniques._base import Technique

TECHNIQUES: tuple[Technique, ...] = ()
