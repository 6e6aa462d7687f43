"""Resonance spectra."""

from zairyo.measurement.techniques._base import Condition, Named, Technique

_CONDITIONS = (
    Condition("observe_frequency", "MHz", "Observe frequency", "観測周波数", main=True),
    Condition("nucleus", None, "Nucleus", "観測核", main=True),
    Condition("solvent", None, "Solvent", "溶媒", main=True),
    Condition("pulse_sequence", None, "Pulse sequence", "パルスシーケンス", main=True),
    Condition("acquisition_mode", None, "Acquisition mode", "取り込みモード"),
    Condition("indirect_nucleus", None, "Nucleus of the indirect dimension", "間接観測核", main=True),
    Condition("indirect_frequency", "MHz", "Frequency of the indirect dimension", "間接軸の周波数"),
    Condition("spectral_width", "Hz", "Spectral width", "スペクトル幅"),
    Condition("indirect_spectral_width", "Hz", "Spectral width, indirect dimension", "間接軸のスペクトル幅"),
    Condition("acquisition_time", "s", "Acquisition time", "取り込み時間"),
    Condition("relaxation_delay", "s", "Relaxation delay", "緩和待ち時間", main=True),
    Condition("pulse_width", "us", "Pulse width", "パルス幅"),
    Condition("dummy_scans", "", "Dummy scans", "ダミースキャン回数"),
    Condition("receiver_gain", "", "Receiver gain", "レシーバーゲイン"),
    Condition("spinning_rate", "Hz", "Spinning rate", "試料回転速度", main=True),
    Condition("probe", None, "Probe", "プローブ"),
    Condition("digital_filter_delay", "", "Digital filter's delay in points", "デジタルフィルター遅延点数"),
    Condition("line_broadening", "Hz", "Line broadening", "線幅付加"),
    Condition("magnetic_field", "T", "Magnetic field", "磁場", "sample/magnetic_field"),
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
    Named("indirect_chemical_shift", "ppm", "Chemical shift, indirect dimension", "化学シフト（間接軸）"),
    Named("indirect_frequency", "Hz", "Frequency, indirect dimension", "周波数（間接軸）"),
    Named("indirect_time", "s", "Evolution time", "展開時間"),
    Named("increment", "", "Increment", "インクリメント"),
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
        reversed_axes=("chemical_shift", "frequency", "indirect_chemical_shift", "indirect_frequency"),
        term="CHMO:0000591",
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
        "neutron_scattering",
        "Inelastic neutron scattering",
        "中性子非弾性散乱",
        "INS",
        "molecular",
        _CONDITIONS,
        _SIGNALS,
    ),
)
