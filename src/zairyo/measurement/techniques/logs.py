"""Logs of sensors and of electrical networks beside an experiment."""

from zairyo.measurement.techniques._base import Technique

TECHNIQUES: tuple[Technique, ...] = ()
