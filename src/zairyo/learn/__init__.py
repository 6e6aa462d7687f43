"""Predict a property from few experiments, and know how far to trust it.

``fit`` is the door; :class:`Space` says what columns are; ``fit_gp`` gives the Gaussian process alone, which the
choice of the next experiment rests on; ``fit_success`` learns from failures, ``fit_descriptors`` from what only made
samples have; holes in rows are filled, up to ``MOST_MISSING`` of a row. Needs the extra ``learn``; scikit-learn and
matplotlib load where they are used.
"""

from __future__ import annotations

from zairyo.learn._gp import GP
from zairyo.learn._gp_fit import fit_gp
from zairyo.learn._holes import MOST_MISSING
from zairyo.learn._missing import DescriptorPredictor, fit_descriptors
from zairyo.learn._space import LearnError, Space, Variable
from zairyo.learn._success import Success, fit_success
from zairyo.learn.fit import LearnWarning, Prediction, Predictor, fit

__all__ = [
    "GP",
    "MOST_MISSING",
    "DescriptorPredictor",
    "LearnError",
    "LearnWarning",
    "Prediction",
    "Predictor",
    "Space",
    "Success",
    "Variable",
    "fit",
    "fit_descriptors",
    "fit_gp",
    "fit_success",
]
