"""Where the file does not say how it was measured."""

from zairyo.measurement.techniques._base import Technique

TECHNIQUES = (Technique("unspecified", "Unspecified", "未指定", "Other", "generic"),)
