"""Small-angle scattering of X-rays and neutrons."""

from zairyo.measurement.techniques._base import Technique

TECHNIQUES: tuple[Technique, ...] = ()
