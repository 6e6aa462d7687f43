"""Diffraction of X-rays."""

from zairyo.measurement.techniques._base import Condition, Named, Technique

_CONDITIONS = (
    Condition(
        "xray_tube_voltage", "kV", "X-ray tube voltage", "X線管電圧", "instrument/source/voltage", main=True
    ),
    Condition(
        "xray_tube_current", "mA", "X-ray tube current", "X線管電流", "instrument/source/current", main=True
    ),
    Condition(
        "xray_source_element", None, "Anode", "ターゲット元素", "instrument/source/target_material", main=True
    ),
    Condition(
        "wavelength",
        "angstrom",
        "Wavelength (Kα1)",
        "波長 (Kα1)",
        "instrument/beam/incident_wavelength",
        main=True,
    ),
    Condition("wavelength_k_alpha_2", "angstrom", "Wavelength Kα2", "波長 Kα2"),
    Condition("wavelength_k_beta", "angstrom", "Wavelength Kβ", "波長 Kβ"),
    Condition("k_alpha_ratio", "", "Kα2/Kα1 intensity ratio", "Kα2/Kα1強度比"),
    Condition("scan_axis", None, "Scan axis", "走査軸", "scan_axis", main=True),
    Condition("scan_mode", None, "Scan mode", "走査モード", "scan_mode"),
    Condition("step_size", "deg", "Step", "ステップ幅", main=True),
    Condition("time_per_step", "s", "Time per step", "計数時間", "instrument/detector/count_time", main=True),
    Condition("scan_speed", "deg/min", "Scan speed", "走査速度", main=True),
    Condition("goniometer_radius", "mm", "Goniometer radius", "ゴニオメーター半径"),
    Condition("divergence_slit", "deg", "Divergence slit", "発散スリット"),
    Condition("receiving_slit", "mm", "Receiving slit", "受光スリット"),
    Condition("detector", None, "Detector", "検出器", "instrument/detector/type"),
    Condition("monochromator", None, "Monochromator", "モノクロメーター"),
    Condition("filter", None, "Kβ filter", "Kβフィルター"),
    Condition("omega", "deg", "ω", "ω", "sample/omega"),
    Condition("chi", "deg", "χ", "χ", "sample/chi"),
    Condition("phi", "deg", "φ", "φ", "sample/phi"),
    Condition("two_theta", "deg", "2θ (fixed)", "2θ（固定）"),
)

_SIGNALS = (
    Named("two_theta", "deg", "2θ", "2θ"),
    Named("omega", "deg", "ω", "ω"),
    Named("chi", "deg", "χ", "χ"),
    Named("phi", "deg", "φ", "φ"),
    Named("intensity", "counts", "Intensity", "強度"),
    Named("attenuation", "", "Attenuation factor", "減衰係数"),
)

TECHNIQUES = (
    Technique(
        "xrd",
        "X-ray diffraction",
        "X線回折",
        "XRD",
        "diffraction",
        _CONDITIONS,
        _SIGNALS,
        monotonic=("two_theta",),
        definition="NXxrd",
    ),
)
