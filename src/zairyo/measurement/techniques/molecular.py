"""Resonance and mass spectra."""

from zairyo.measurement.techniques._base import Condition, Named, Technique

_CONDITIONS = (
    Condition("observe_frequency", "MHz", "Observe frequency", "観測周波数", main=True),
    Condition("nucleus", None, "Nucleus", "観測核", main=True),
    Condition("solvent", None, "Solvent", "溶媒", main=True),
    Condition("pulse_sequence", None, "Pulse sequence", "パルスシーケンス", main=True),
    Condition("acquisition_mode", None, "Acquisition mode", "取り込みモード"),
    Condition("ionisation", None, "Ionisation", "イオン化", main=True),
    Condition("ionisation_energy", "eV", "Ionisation energy", "イオン化エネルギー", main=True),
)

_SIGNALS = (
    Named("chemical_shift", "ppm", "Chemical shift", "化学シフト"),
    Named("frequency", "Hz", "Frequency", "周波数"),
    Named("time", "s", "Time", "時間"),
    Named("intensity", "arb", "Intensity", "強度"),
    Named("real", "arb", "Real part", "実部"),
    Named("imaginary", "arb", "Imaginary part", "虚部"),
    Named("mass_to_charge", "", "m/z", "m/z"),
    Named("abundance", "arb", "Abundance", "存在量"),
    Named("drift_time", "ms", "Drift time", "ドリフト時間"),
)

TECHNIQUES = (
    Technique(
        "nmr",
        "Nuclear magnetic resonance",
        "核磁気共鳴",
        "NMR",
        "molecular",
        _CONDITIONS,
        _SIGNALS,
        reversed_axes=("chemical_shift", "frequency"),
    ),
    Technique("mass_spectrometry", "Mass spectrometry", "質量分析", "MS", "molecular", _CONDITIONS, _SIGNALS),
    Technique(
        "ion_mobility",
        "Ion mobility spectrometry",
        "イオン移動度分析",
        "IMS",
        "molecular",
        _CONDITIONS,
        _SIGNALS,
    ),
)
