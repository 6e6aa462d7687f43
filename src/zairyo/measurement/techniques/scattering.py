"""Small-angle scattering of X-rays and neutrons, reduced: intensity over the scattering vector.

``q`` is 4π sin(θ)/λ. Uncertainties of the intensity are its signal's own; ``q_resolution`` is the standard
deviation of q that the instrument's resolution makes, ``slit_length`` and ``slit_width`` are what a slit smears
over, all in q. ``sas`` is for files that do not say what was scattered.
"""

from typing import Any

from zairyo.measurement.techniques._base import Condition, Named, Technique

_CONDITIONS = (
    Condition("radiation", None, "Radiation", "線種", main=True),
    Condition(
        "wavelength", "angstrom", "Wavelength", "波長", "instrument/beam/incident_wavelength", main=True
    ),
    Condition("wavelength_spread", "", "Wavelength spread Δλ/λ", "波長広がり Δλ/λ"),
    Condition("wavelength_minimum", "angstrom", "Shortest wavelength", "最短波長"),
    Condition("wavelength_maximum", "angstrom", "Longest wavelength", "最長波長"),
    Condition(
        "sample_detector_distance",
        "m",
        "Sample–detector distance",
        "試料・検出器間距離",
        "instrument/detector/distance",
        main=True,
    ),
    Condition("transmission", "", "Sample transmission", "試料透過率", "sample/transmission", main=True),
    Condition("sample_thickness", "mm", "Sample thickness", "試料厚さ", "sample/thickness", main=True),
    Condition("concentration", "g/l", "Concentration", "濃度", main=True),
    Condition("run", None, "Run", "測定番号", "run", main=True),
    Condition("instrument", None, "Instrument", "装置"),
    Condition("detector", None, "Detector", "検出器", "instrument/detector/name"),
    Condition("detector_angle", "deg", "Detector angle", "検出器角度"),
    Condition("detector_offset", "cm", "Detector offset", "検出器オフセット"),
    Condition("beam_center_x", "pixel", "Beam centre x", "ビーム中心 x"),
    Condition("beam_center_y", "pixel", "Beam centre y", "ビーム中心 y"),
    Condition("beam_stop", "mm", "Beam stop", "ビームストップ"),
    Condition("collimation_length", "m", "Collimation length", "コリメーション長"),
    Condition("source_aperture", "mm", "Source aperture", "線源アパーチャー"),
    Condition("sample_aperture", "mm", "Sample aperture", "試料アパーチャー"),
    Condition("aperture_distance", "m", "Distance between the apertures", "アパーチャー間距離"),
    Condition("monitor_count", "counts", "Monitor count", "モニターカウント"),
    Condition("exposure_time", "s", "Exposure time", "露光時間", "instrument/detector/count_time"),
    Condition("slit_length", "1/angstrom", "Slit length in q", "スリット長（q）"),
    Condition("normalisation", "", "Normalisation factor", "規格化係数"),
    Condition("sample_details", None, "Sample details", "試料の詳細"),
)

_SIGNALS = (
    Named("q", "1/angstrom", "Scattering vector q", "散乱ベクトル q"),
    Named("qx", "1/angstrom", "qx", "qx"),
    Named("qy", "1/angstrom", "qy", "qy"),
    Named("qz", "1/angstrom", "qz", "qz"),
    Named("intensity", "1/cm", "Intensity", "強度"),
    Named("q_resolution", "1/angstrom", "Resolution in q (standard deviation)", "q分解能（標準偏差）"),
    Named("qx_resolution", "1/angstrom", "Resolution in qx", "qx分解能"),
    Named("qy_resolution", "1/angstrom", "Resolution in qy", "qy分解能"),
    Named("slit_length", "1/angstrom", "Slit length in q", "スリット長（q）"),
    Named("slit_width", "1/angstrom", "Slit width in q", "スリット幅（q）"),
    Named("q_mean", "1/angstrom", "Mean q", "平均 q"),
    Named("shadow_factor", "", "Beam-stop shadow factor", "ビームストップ影係数"),
    Named("mask", None, "Mask", "マスク"),
    Named("wavelength", "angstrom", "Wavelength", "波長"),
    Named("transmission", "", "Transmission", "透過率"),
    Named("temperature", "degC", "Temperature", "温度"),
    Named("time", "s", "Time", "時間"),
    Named("pressure", "Pa", "Pressure", "圧力"),
    Named("frame", "", "Frame", "フレーム"),
    Named("x", "pixel", "x", "x"),
    Named("y", "pixel", "y", "y"),
)

_REFLECTION_CONDITIONS = (
    Condition("radiation", None, "Radiation", "線種", main=True),
    Condition(
        "wavelength", "angstrom", "Wavelength", "波長", "instrument/beam/incident_wavelength", main=True
    ),
    Condition("wavelength_minimum", "angstrom", "Shortest wavelength", "最短波長"),
    Condition("wavelength_maximum", "angstrom", "Longest wavelength", "最長波長"),
    Condition("incident_angle", "deg", "Angle of incidence", "入射角", main=True),
    Condition("incident_angle_minimum", "deg", "Least angle of incidence", "最小入射角"),
    Condition("incident_angle_maximum", "deg", "Largest angle of incidence", "最大入射角"),
    Condition("polarisation", None, "Polarisation", "偏極", main=True),
    Condition("temperature", "K", "Temperature", "温度", "sample/temperature", main=True),
    Condition("measurement_scheme", None, "Scheme", "測定方式"),
    Condition("configuration", None, "Configuration", "装置構成"),
    Condition("facility", None, "Facility", "施設"),
)

_REFLECTION_SIGNALS = (
    Named("qz", "1/angstrom", "qz", "qz"),
    Named("reflectivity", "", "Reflectivity", "反射率"),
    Named("q_resolution", "1/angstrom", "Resolution in q (standard deviation)", "q分解能（標準偏差）"),
    Named("incident_angle", "deg", "Angle of incidence", "入射角"),
    Named("wavelength", "angstrom", "Wavelength", "波長"),
)

_PAIR_CONDITIONS = (
    Condition("radiation", None, "Radiation", "線種", main=True),
    Condition(
        "wavelength", "angstrom", "Wavelength", "波長", "instrument/beam/incident_wavelength", main=True
    ),
    Condition("composition", None, "Composition", "組成", main=True),
    Condition("temperature", "K", "Temperature", "温度", "sample/temperature", main=True),
    Condition("q_minimum", "1/angstrom", "Least q transformed", "変換の最小 q", main=True),
    Condition("q_maximum", "1/angstrom", "Largest q transformed", "変換の最大 q", main=True),
    Condition("q_maximum_measured", "1/angstrom", "Largest q measured", "測定の最大 q"),
    Condition("q_damping", "1/angstrom", "Damping by the resolution Qdamp", "分解能による減衰 Qdamp"),
    Condition(
        "q_broadening", "1/angstrom", "Broadening by the resolution Qbroad", "分解能による広がり Qbroad"
    ),
    Condition(
        "background_radius", "angstrom", "Radius below which is background", "バックグラウンドとする半径"
    ),
    Condition("background_scale", "", "Scale of the background", "バックグラウンドの倍率"),
)

_PAIR_SIGNALS = (
    Named("r", "angstrom", "Distance r", "距離 r"),
    Named("pair_distribution", "1/angstrom**2", "Pair distribution G(r)", "二体分布関数 G(r)"),
    Named("radial_distribution", "1/angstrom", "Radial distribution R(r)", "動径分布関数 R(r)"),
    Named("q", "1/angstrom", "Scattering vector q", "散乱ベクトル q"),
    Named("structure_factor", "", "Structure factor S(q)", "構造因子 S(q)"),
    Named("reduced_structure_factor", "1/angstrom", "Reduced structure factor F(q)", "還元構造因子 F(q)"),
    Named("intensity", None, "Intensity", "強度"),
)


def _technique(key: str, title: str, title_ja: str, short: str, **rest: Any) -> Technique:
    return Technique(key, title, title_ja, short, "scattering", _CONDITIONS, _SIGNALS, **rest)


TECHNIQUES = (
    _technique("saxs", "Small-angle X-ray scattering", "X線小角散乱", "SAXS"),
    _technique("sans", "Small-angle neutron scattering", "中性子小角散乱", "SANS"),
    _technique("sas", "Small-angle scattering", "小角散乱", "SAS"),
    Technique(
        "reflectometry",
        "Reflectometry",
        "反射率測定",
        "Reflectometry",
        "scattering",
        _REFLECTION_CONDITIONS,
        _REFLECTION_SIGNALS,
    ),
    Technique(
        "pdf",
        "Total scattering (pair distribution function)",
        "全散乱（二体分布関数）",
        "PDF",
        "scattering",
        _PAIR_CONDITIONS,
        _PAIR_SIGNALS,
    ),
)
