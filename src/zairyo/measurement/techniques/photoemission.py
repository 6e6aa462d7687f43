"""Electrons, ions and X-rays out of a surface."""

from typing import Any

from zairyo.measurement.techniques._base import Condition, Named, Technique

_CONDITIONS = (
    Condition(
        "excitation_energy",
        "eV",
        "Excitation energy",
        "励起エネルギー",
        "instrument/beam_probe/incident_energy",
        main=True,
    ),
    Condition("excitation_source", None, "Excitation source", "励起源", "instrument/source/name", main=True),
    Condition("source_power", "W", "Source power", "線源出力", "instrument/source/power", main=True),
    Condition(
        "pass_energy",
        "eV",
        "Pass energy",
        "パスエネルギー",
        "instrument/analyser/energydispersion/pass_energy",
        main=True,
    ),
    Condition("work_function", "eV", "Work function", "仕事関数", "instrument/analyser/work_function"),
    Condition("energy_step", "eV", "Energy step", "エネルギーステップ", main=True),
    Condition(
        "dwell_time",
        "s",
        "Dwell time",
        "滞留時間",
        "instrument/analyser/electron_detector/count_time",
        main=True,
    ),
    Condition("take_off_angle", "deg", "Take-off angle", "取り出し角", main=True),
    Condition("analysed_region", None, "Region", "測定領域", main=True),
    Condition(
        "lens_mode", None, "Lens mode", "レンズモード", "instrument/analyser/collectioncolumn/lens_mode"
    ),
    Condition("scan_mode", None, "Scan mode", "走査モード"),
    Condition("charge_neutraliser", None, "Charge neutraliser", "帯電中和"),
    Condition("etch_time", "s", "Sputter time", "スパッタ時間"),
    Condition("energy_reference", None, "Binding-energy convention", "結合エネルギーの基準"),
    Condition("analyser_mode", None, "Analyser mode", "アナライザーモード"),
    Condition("retard_ratio", "", "Retard ratio", "減速比"),
    Condition("beam_current", "nA", "Beam current", "ビーム電流"),
    Condition("beam_width_x", "um", "Beam width x", "ビーム幅 x"),
    Condition("beam_width_y", "um", "Beam width y", "ビーム幅 y"),
    Condition("analysis_width_x", "um", "Analysed width x", "分析幅 x"),
    Condition("analysis_width_y", "um", "Analysed width y", "分析幅 y"),
    Condition("incidence_angle", "deg", "Angle of incidence", "入射角"),
    Condition("tilt_angle", "deg", "Sample tilt", "試料傾斜角"),
    Condition("rotation_angle", "deg", "Sample rotation", "試料回転角"),
    Condition("modulation_amplitude", "eV", "Modulation, peak to peak", "変調幅（ピーク間）"),
    Condition("sample_bias", "V", "Sample bias", "試料バイアス"),
    Condition("sputter_energy", "eV", "Sputter-ion energy", "スパッタイオンエネルギー"),
    Condition("sputter_current", "nA", "Sputter-ion current", "スパッタイオン電流"),
    Condition("signal_mode", None, "Signal mode", "信号モード"),
    Condition("analyser", None, "Analyser", "アナライザー", "instrument/analyser/name"),
    Condition("analyser_slit", None, "Entrance slit", "入射スリット"),
    Condition(
        "detector_voltage",
        "V",
        "Detector voltage",
        "検出器電圧",
        "instrument/analyser/electron_detector/detector_voltage",
    ),
    Condition("detector_mode", None, "Detector mode", "検出器モード"),
    Condition("acquisition_mode", None, "Acquisition mode", "取り込みモード"),
    Condition("kinetic_energy", "eV", "Kinetic energy (fixed)", "運動エネルギー（固定）"),
    Condition("sputter_ion", None, "Sputter ion", "スパッタイオン種"),
    Condition("sputter_gun", None, "Sputter gun", "スパッタ銃"),
    Condition("sputter_rate", "angstrom/min", "Sputter rate", "スパッタ速度"),
    Condition("sputter_mode", None, "Sputter mode", "スパッタモード"),
    Condition("source_voltage", "kV", "Source voltage", "線源電圧", "instrument/source/voltage"),
    Condition("angle", "deg", "Emission angle", "放出角"),
    Condition("polar_angle", "deg", "Polar angle", "極角"),
    Condition("azimuth_angle", "deg", "Azimuth", "方位角"),
)

_ABSORPTION_CONDITIONS = (
    Condition("element", None, "Absorbing element", "吸収元素", main=True),
    Condition("absorption_edge", None, "Absorption edge", "吸収端", main=True),
    Condition("edge_energy", "eV", "Edge energy", "吸収端エネルギー"),
    Condition("monochromator", None, "Monochromator", "分光結晶", "instrument/monochromator/name"),
    Condition(
        "monochromator_d_spacing", "angstrom", "Lattice spacing of the monochromator", "分光結晶の面間隔"
    ),
    Condition("beamline", None, "Beamline", "ビームライン"),
    Condition("facility", None, "Facility", "施設"),
    Condition("ring_energy", "GeV", "Energy of the ring", "蓄積リングのエネルギー"),
    Condition("ring_current", "mA", "Current of the ring", "蓄積電流"),
)

_SIGNALS = (
    Named("binding_energy", "eV", "Binding energy", "結合エネルギー"),
    Named("kinetic_energy", "eV", "Kinetic energy", "運動エネルギー"),
    Named("intensity", "counts", "Intensity", "強度"),
    Named("scan_intensity", "counts", "Intensity of each scan", "各スキャンの強度"),
    Named("transmission", "", "Transmission function", "透過関数"),
    Named("energy_loss", "eV", "Energy loss", "エネルギー損失"),
    Named("photon_energy", "eV", "Photon energy", "光子エネルギー"),
    Named("mass_to_charge", "u", "m/z", "m/z"),
    Named("time", "s", "Time", "時間"),
    Named("etch_time", "s", "Sputter time", "スパッタ時間"),
    Named("cycle", "", "Cycle", "サイクル"),
    Named("scan", "", "Scan", "スキャン"),
    Named("curve", "", "Curve", "曲線"),
    Named("point", "", "Point", "測定点"),
    Named("angle", "deg", "Emission angle", "放出角"),
    Named("deflection_angle", "deg", "Deflection angle", "偏向角"),
    Named("position", "mm", "Position along the slit", "スリット方向の位置"),
    Named("detector_channel", "", "Detector channel", "検出器チャンネル"),
    Named("temperature", "K", "Temperature", "温度"),
    Named("x", "um", "x", "x"),
    Named("y", "um", "y", "y"),
    Named("component", None, "Fitted component", "成分"),
    Named("line_shape", None, "Line shape", "線形"),
    Named("area", None, "Area", "面積"),
    Named("full_width_at_half_maximum", "eV", "Full width at half maximum", "半値全幅"),
    Named("sensitivity_factor", "", "Relative sensitivity factor", "相対感度係数"),
)

_ABSORPTION_SIGNALS = (
    Named("photon_energy", "eV", "Photon energy", "光子エネルギー"),
    Named("monochromator_angle", "deg", "Angle of the monochromator", "分光結晶の角度"),
    Named("monochromator_angle_set", "deg", "Angle set of the monochromator", "分光結晶の設定角度"),
    Named("time_per_point", "s", "Time per point", "1点あたりの時間"),
    Named("absorption", "", "Absorption µt", "吸収 µt"),
    Named("absorption_fluorescence", "", "Absorption by fluorescence", "蛍光による吸収"),
    Named("absorption_reference", "", "Absorption of the reference", "参照試料の吸収"),
    Named("normalised_absorption", "", "Normalised absorption", "規格化吸収"),
    Named("incident_intensity", None, "Incident intensity I₀", "入射強度 I₀"),
    Named("transmitted_intensity", None, "Transmitted intensity", "透過強度"),
    Named("fluorescence_intensity", None, "Fluorescence intensity", "蛍光強度"),
    Named("reference_intensity", None, "Intensity behind the reference", "参照試料の透過強度"),
    Named("photoelectron_wavenumber", "1/angstrom", "Wavenumber of the photoelectron k", "光電子の波数 k"),
    Named("exafs", "", "EXAFS χ(k)", "EXAFS振動 χ(k)"),
)


def _technique(key: str, title: str, title_ja: str, short: str, **rest: Any) -> Technique:
    return Technique(key, title, title_ja, short, "photoemission", _CONDITIONS, _SIGNALS, **rest)


TECHNIQUES = (
    _technique(
        "xps",
        "X-ray photoelectron spectroscopy",
        "X線光電子分光",
        "XPS",
        reversed_axes=("binding_energy",),
        term="CHMO:0000404",
    ),
    _technique(
        "ups",
        "Ultraviolet photoelectron spectroscopy",
        "紫外光電子分光",
        "UPS",
        reversed_axes=("binding_energy",),
    ),
    _technique(
        "arpes",
        "Angle-resolved photoelectron spectroscopy",
        "角度分解光電子分光",
        "ARPES",
        reversed_axes=("binding_energy",),
    ),
    _technique("nexafs", "Near-edge X-ray absorption fine structure", "X線吸収端近傍微細構造", "NEXAFS"),
    Technique(
        "xafs",
        "X-ray absorption fine structure",
        "X線吸収微細構造",
        "XAFS",
        "photoemission",
        _ABSORPTION_CONDITIONS,
        _ABSORPTION_SIGNALS,
    ),
    _technique("aes", "Auger electron spectroscopy", "オージェ電子分光", "AES"),
    _technique("els", "Electron energy-loss spectroscopy of surfaces", "表面電子エネルギー損失分光", "ELS"),
    _technique("iss", "Ion scattering spectroscopy", "イオン散乱分光", "ISS"),
    _technique("sims", "Secondary ion and neutral mass spectrometry", "二次イオン質量分析", "SIMS"),
)
