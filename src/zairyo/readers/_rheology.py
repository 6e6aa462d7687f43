"""What rheometers call their channels, and how rheologists plot them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from zairyo.measurement import Signal
from zairyo.readers._text_export import rules

#: Headings (whole, without their unit) → names of the vocabulary. The first that fits wins.
COLUMNS = rules(
    (r"(meas(uring|\.)? )?(point no\.?|point|pts\.?)|mess(punkt(-nr\.?)?|pkte?\.?)|data point", "point"),
    (r"(interval|segment|step) time|intervallzeit", "interval_time"),
    (r"(test |total )?time|zeit|temps|時間", "time"),
    (r"temperature|temperatur|température|temp\.?|温度", "temperature"),
    (r"shear rate|scher(rate|geschwindigkeit)|(taux|gradient) de cisaillement|せん断速度|ずり速度", "shear_rate"),
    (r"(oscillation )?(shear )?stress|schubspannung|contrainte de cisaillement|せん断応力|ずり応力", "shear_stress"),
    (r"(oscillation )?(shear )?strain|(scher)?d[eé]formation|せん断ひずみ|ずり歪み?", "shear_strain"),
    (r"(shear )?viscosity|η|scherviskosität|viskosität|viscosité( de cisaillement)?|粘度", "viscosity"),
    (r"storage modulus|g'|e'|speichermodul|module de (conservation|stockage)|貯蔵弾性率", "storage_modulus"),
    (r"loss modulus|g''|g\"|e''|e\"|verlustmodul|module de perte|損失弾性率", "loss_modulus"),
    (r"complex (shear )?modulus|\|g\*\||komplexer (schub)?modul|複素弾性率", "complex_modulus"),
    (r"complex viscosity|\|η\*\||komplexe viskosität|viscosité complexe|複素粘度", "complex_viscosity"),
    (r"(loss|damping) factor|tan\(?[ _]?(delta|δ)\)?|verlustfaktor|facteur de perte|損失正接", "loss_factor"),
    (r"phase (angle|shift angle)|phase|phasenverschiebungswinkel|位相角", "phase"),
    (r"angular frequency|kreisfrequenz|pulsation|fréquence angulaire|ω|角周波数", "angular_frequency"),
    (r"frequency|frequenz|fréquence|周波数", "frequency"),
    (r"(oscillation )?torque|drehmoment|moment|couple|トルク", "torque"),
    (r"(axial |normal )force|normalkraft|法線力", "normal_force"),
    (r"(first )?normal stress( difference)?|n1", "normal_stress"),
    (r"(rotational )?speed|velocity|drehzahl|回転速度|回転数", "rotational_speed"),
    (r"deflection angle|(angular )?displacement|auslenkwinkel|偏向角", "deflection_angle"),
    (r"gap|spalt|ギャップ", "gap"),
    (r"(relaxation|stress relaxation) modulus|g\(t\)|緩和弾性率", "relaxation_modulus"),
    (r"(creep )?compliance|j\(t\)", "creep_compliance"),
    (r"status|zustand|状態", "status"),
)  # fmt: skip

#: What is drawn, in order of preference.
_Y = (
    "storage_modulus",
    "complex_viscosity",
    "relaxation_modulus",
    "creep_compliance",
    "viscosity",
    "shear_stress",
)
#: Along what, if it is swept: by how much it must change to be.
_X = (
    ("angular_frequency", 1.2),
    ("frequency", 1.2),
    ("shear_rate", 1.2),
    ("shear_strain", 1.5),
    ("shear_stress", 1.5),
    ("temperature", 1.05),
)


def plot_of(signals: Sequence[Signal]) -> tuple[str, str]:
    """Names to draw along and to draw: a modulus over what was swept (frequency, strain, temperature), else time."""
    by_name = {s.name: s for s in signals if s.values.dtype.kind in "iuf"}
    if not by_name:
        return signals[0].name, signals[0].name
    y = next((n for n in _Y if n in by_name), "")
    oscillating = y in ("storage_modulus", "complex_viscosity")
    for name, change in _X:
        if name not in by_name or name == y or (name.startswith("shear_r") and oscillating):
            continue
        values = by_name[name].values
        values = np.abs(values[np.isfinite(values)])
        if len(values) > 1 and values.max() > change * max(float(values.min()), 1e-300):
            return name, y or next((n for n in by_name if n != name), name)
    x = next((n for n in ("time", "interval_time", "point") if n in by_name), next(iter(by_name)))
    return x, y or next((n for n in by_name if n != x), x)
