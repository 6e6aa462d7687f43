"""Diffraction of X-rays: powder patterns, rocking curves, φ scans, reflectivity, reciprocal-space maps.

Two conventions hold for every vendor. ``omega`` is the angle of incidence, whatever the drive is called
(Bruker's Theta, Rigaku's ThetaS). ``time_per_step`` is the time a point was counted for, summed over the
channels of a strip detector, so that counts / ``time_per_step`` is a rate; what the goniometer waited at
each position is ``dwell_time``.
"""

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
    Condition("xray_tube", None, "X-ray tube", "X線管", "instrument/source/name"),
    Condition("xray_focus", None, "Focus", "焦点"),
    Condition(
        "wavelength",
        "angstrom",
        "Wavelength (Kα1)",
        "波長 (Kα1)",
        "instrument/beam/incident_wavelength",
        main=True,
    ),
    Condition("wavelength_k_alpha_2", "angstrom", "Wavelength Kα2", "波長 Kα2"),
    Condition("wavelength_k_alpha", "angstrom", "Wavelength Kα (mean)", "波長 Kα（平均）"),
    Condition("wavelength_k_beta", "angstrom", "Wavelength Kβ", "波長 Kβ"),
    Condition("k_alpha_ratio", "", "Kα2/Kα1 intensity ratio", "Kα2/Kα1強度比"),
    Condition("scan_axis", None, "Scan axis", "走査軸", "scan_axis", main=True),
    Condition("scan_mode", None, "Scan mode", "走査モード", "scan_mode"),
    Condition("measurement_type", None, "Type of measurement", "測定種別", "measurement_type"),
    Condition("measurement_status", None, "Status", "測定状態"),
    Condition("sample_mode", None, "Sample mode", "試料モード"),
    Condition("step_size", "deg", "Step", "ステップ幅", main=True),
    Condition("time_per_step", "s", "Time per step", "計数時間", "instrument/detector/count_time", main=True),
    Condition("dwell_time", "s", "Dwell time", "停止時間"),
    Condition("scan_speed", "deg/min", "Scan speed", "走査速度", main=True),
    Condition("sample_rotation_speed", "rpm", "Sample rotation speed", "試料回転速度"),
    Condition("goniometer_radius", "mm", "Goniometer radius", "ゴニオメーター半径"),
    Condition("incident_optics", None, "Incident optics", "入射光学系"),
    Condition("divergence_slit", "deg", "Divergence slit", "発散スリット"),
    Condition("antiscatter_slit", "deg", "Anti-scatter slit", "散乱スリット"),
    Condition("incident_slit", "mm", "Incident slit", "入射スリット"),
    Condition("receiving_slit", "mm", "Receiving slit", "受光スリット"),
    Condition("incident_soller_slit", "deg", "Incident Soller slit", "入射ソーラースリット"),
    Condition("receiving_soller_slit", "deg", "Receiving Soller slit", "受光ソーラースリット"),
    Condition("detector", None, "Detector", "検出器", "instrument/detector/type"),
    Condition(
        "sample_detector_distance",
        "m",
        "Sample–detector distance",
        "試料・検出器間距離",
        "instrument/detector/distance",
    ),
    Condition("detector_mode", None, "Detector mode", "検出器モード"),
    Condition("attenuator", None, "Attenuator", "アッテネーター"),
    Condition("monochromator", None, "Monochromator", "モノクロメーター"),
    Condition("filter", None, "Kβ filter", "Kβフィルター"),
    Condition("reflection", None, "Reflection (hkl)", "反射指数 (hkl)"),
    Condition("material", None, "Material of the reflection", "反射の物質"),
    Condition("omega", "deg", "ω", "ω", "sample/omega"),
    Condition("chi", "deg", "χ", "χ", "sample/chi"),
    Condition("psi", "deg", "ψ", "ψ", "sample/psi"),
    Condition("phi", "deg", "φ", "φ", "sample/phi"),
    Condition("two_theta", "deg", "2θ (fixed)", "2θ（固定）"),
    Condition("two_theta_chi", "deg", "2θχ (fixed)", "2θχ（固定）"),
    Condition("omega_offset", "deg", "ω − 2θ/2", "ω − 2θ/2"),
    Condition("x", "mm", "Sample x", "試料 x", "sample/x"),
    Condition("y", "mm", "Sample y", "試料 y", "sample/y"),
    Condition("z", "mm", "Sample height z", "試料高さ z", "sample/z"),
)

_SIGNALS = (
    Named("two_theta", "deg", "2θ", "2θ"),
    Named("two_theta_chi", "deg", "2θχ", "2θχ"),
    Named("omega", "deg", "ω", "ω"),
    Named("omega_offset", "deg", "ω − 2θ/2", "ω − 2θ/2"),
    Named("chi", "deg", "χ", "χ"),
    Named("psi", "deg", "ψ", "ψ"),
    Named("phi", "deg", "φ", "φ"),
    Named("x", "mm", "x", "x"),
    Named("y", "mm", "y", "y"),
    Named("z", "mm", "z", "z"),
    Named("temperature", "degC", "Temperature", "温度"),
    Named("time", "s", "Time", "時間"),
    Named("point", "", "Point", "測定点"),
    Named("two_theta_relative", "deg", "2θ from the detector arm", "検出器アームからの2θ"),
    Named("channel", "", "Detector channel", "検出器チャンネル"),
    Named("time_of_flight", "us", "Time of flight", "飛行時間"),
    Named("d_spacing", "angstrom", "d", "面間隔 d"),
    Named("q", "1/angstrom", "Scattering vector q", "散乱ベクトル q"),
    Named("radius", "mm", "Radius on the detector", "検出器上の半径"),
    Named("azimuth", "deg", "Azimuth on the detector", "検出器上の方位角"),
    Named("inverse_d_squared", "1/nm**2", "1/d²", "1/d²"),
    Named("h", "", "h", "h"),
    Named("k", "", "k", "k"),
    Named("l", "", "l", "l"),
    Named("energy", "keV", "Energy", "エネルギー"),
    Named("calculated_intensity", None, "Calculated intensity", "計算強度"),
    Named("background", None, "Background", "バックグラウンド"),
    Named("weight", None, "Weight in the refinement", "精密化の重み"),
    Named("intensity", "counts", "Intensity", "強度"),
    Named("attenuation", "", "Attenuation factor", "減衰係数"),
    Named("divergence_correction", "", "Divergence correction", "発散補正係数"),
    Named("time_per_step", "s", "Time per step", "計数時間"),
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
        term="CHMO:0000156",
    ),
    Technique(
        "neutron_diffraction",
        "Neutron diffraction",
        "中性子回折",
        "ND",
        "diffraction",
        _CONDITIONS,
        _SIGNALS,
        monotonic=("two_theta", "time_of_flight"),
    ),
)
