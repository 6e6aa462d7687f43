"""The standard form: what every file becomes, whatever instrument wrote it."""

from zairyo.measurement.model import (
    Axis,
    Entry,
    Measurement,
    Quantity,
    RawFile,
    Signal,
    Source,
    table,
)
from zairyo.measurement.text import MeasurementError, clean_text, make_name, tidy_metadata

__all__ = [
    "Axis",
    "Entry",
    "Measurement",
    "MeasurementError",
    "Quantity",
    "RawFile",
    "Signal",
    "Source",
    "clean_text",
    "make_name",
    "table",
    "tidy_metadata",
]
