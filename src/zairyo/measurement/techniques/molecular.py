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
    Condition("ion_polarity", None, "Ion polarity", "イオン極性", main=True),
    Condition("inlet", None, "Inlet", "試料導入部"),
    Condition("magnetic_field", "T", "Magnetic field", "磁場", "sample/magnetic_field"),
    Condition("carrier_gas", None, "Carrier gas", "キャリアガス"),
    Condition("drift_gas", None, "Drift gas", "ドリフトガス", main=True),
    Condition("sampling_method", None, "Sampling", "試料測定法"),
    Condition("shift_reference", None, "Chemical-shift reference", "化学シフトの基準"),
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
    Named("ion_current", "pA", "Ion current", "イオン電流"),
    Named("magnetic_field", "gauss", "Magnetic field", "磁場"),
    Named("wavenumber", "1/cm", "Wavenumber", "波数"),
    Named("multiplicity", None, "Multiplicity", "多重度"),
    Named("assignment", None, "Assignment", "帰属"),
    Named("width", None, "Width", "幅"),
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
        term="CHMO:0000591",
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
    Technique(
        "epr",
        "Electron paramagnetic resonance",
        "電子スピン共鳴",
        "EPR",
        "molecular",
        _CONDITIONS,
        _SIGNALS,
    ),
    Technique(
        "chromatography", "Chromatography", "クロマトグラフィー", "GC/LC", "molecular", _CONDITIONS, _SIGNALS
    ),
    Technique(
        "neutron_scattering",
        "Inelastic neutron scattering",
        "中性子非弾性散乱",
        "INS",
        "molecular",
        _CONDITIONS,
        _SIGNALS,
    ),
)
