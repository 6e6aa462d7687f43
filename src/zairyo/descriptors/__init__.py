"""Measurement → named numbers with unit, uncertainty, method and limits.

    import zairyo

    found = zairyo.describe(zairyo.read("scan.xrdml"))
    found["peak_position", "peak_1"].value  # Quantity: 2θ in degrees, with its standard deviation

Each descriptor carries what is needed to repeat it. A number that the data do not give is refused, with the
reason: :class:`CannotDescribe`.
"""

from zairyo.descriptors._api import CannotDescribe, Found, Method, Parameter, Region, Term
from zairyo.descriptors._results import Descriptor, Descriptors, Refusal
from zairyo.descriptors.registry import compute

__all__ = [
    "CannotDescribe",
    "Descriptor",
    "Descriptors",
    "Found",
    "Method",
    "Parameter",
    "Refusal",
    "Region",
    "Term",
    "compute",
]
