"""Chromatography and mass spectrometry: what comes out when, and how heavy it is.

One layout for all vendors. A detector's trace is an entry over ``time``; a diode array's spectra are one over
(``time``, ``wavelength``). A mass spectrometer's scans have no mass axis in common, so they are two entries: the
*chromatogram*, one value a scan over ``time`` (total ion current, base peak, scan number), and *peaks* (or
*profile*), a table of all points, in the order of the scans, with the column ``scan`` to tell them apart. Where
the scans do share their masses (selected ions, a residual-gas analyser), they are one entry over (``time``,
``mass_to_charge``).
"""

from zairyo.measurement.techniques._base import Condition, Named, Technique

_CHROMATOGRAPHY = (
    Condition("method", None, "Acquisition method", "測定メソッド", main=True),
    Condition("detector", None, "Detector", "検出器", main=True),
    Condition("detection_wavelength", "nm", "Detection wavelength", "検出波長", main=True),
    Condition("bandwidth", "nm", "Bandwidth", "バンド幅"),
    Condition("reference_wavelength", "nm", "Reference wavelength", "参照波長"),
    Condition("reference_bandwidth", "nm", "Reference bandwidth", "参照バンド幅"),
    Condition("excitation_wavelength", "nm", "Excitation wavelength", "励起波長", main=True),
    Condition("emission_wavelength", "nm", "Emission wavelength", "蛍光波長", main=True),
    Condition("injection_volume", "ul", "Injection volume", "注入量", main=True),
    Condition("injection", "", "Injection", "注入回数"),
    Condition("vial", None, "Vial or position", "バイアル・位置"),
    Condition("column", None, "Column", "カラム", main=True),
    Condition("column_temperature", "degC", "Column temperature", "カラム温度", main=True),
    Condition("flow_rate", "ml/min", "Flow rate", "流量", main=True),
    Condition("carrier_gas", None, "Carrier gas", "キャリアガス", main=True),
    Condition("inlet", None, "Inlet", "試料導入部"),
    Condition("split_ratio", "", "Split ratio", "スプリット比"),
    Condition("dilution", "", "Dilution factor", "希釈倍率"),
    Condition("sampling_rate", "Hz", "Sampling rate", "サンプリング周波数"),
    Condition("valve_position", None, "Valve position", "バルブ位置"),
    Condition("sampling_method", None, "Sampling", "試料測定法"),
)

_MASS = (
    Condition("ionisation", None, "Ionisation", "イオン化", main=True),
    Condition("ionisation_energy", "eV", "Ionisation energy", "イオン化エネルギー"),
    Condition("ion_polarity", None, "Ion polarity", "イオン極性", main=True),
    Condition("mass_analyser", None, "Mass analyser", "質量分析計", main=True),
    Condition("acquisition_mode", None, "Acquisition mode", "取り込みモード", main=True),
    Condition("ms_level", "", "MS level", "MS段数"),
    Condition("mass_range", None, "Mass range", "質量範囲"),
    Condition("fragmentor_voltage", "V", "Fragmentor voltage", "フラグメンター電圧"),
    Condition("collision_energy", "eV", "Collision energy", "衝突エネルギー"),
    Condition("precursor_mass_to_charge", "", "Precursor m/z", "プリカーサー m/z", main=True),
    Condition("product_mass_to_charge", "", "Product m/z", "プロダクト m/z"),
    Condition("gas", None, "Measured gas", "測定ガス"),
    Condition("drift_gas", None, "Drift gas", "ドリフトガス"),
)

_SIGNALS = (
    Named("time", "min", "Time", "時間"),
    Named("wavelength", "nm", "Wavelength", "波長"),
    Named("absorbance", "mAU", "Absorbance", "吸光度"),
    Named("fluorescence", "arb", "Fluorescence", "蛍光強度"),
    Named("refractive_index", "nRIU", "Refractive index difference", "示差屈折率"),
    Named("conductivity", "uS/cm", "Conductivity", "電気伝導度"),
    Named("detector_signal", None, "Detector signal", "検出器信号"),
    Named("pressure", "bar", "Pressure", "圧力"),
    Named("temperature", "degC", "Temperature", "温度"),
    Named("flow", "ml/min", "Flow", "流量"),
    Named("composition", "percent", "Solvent composition", "溶離液組成"),
    Named("total_ion_current", "counts", "Total ion current", "全イオン電流"),
    Named("base_peak_abundance", "counts", "Base-peak abundance", "ベースピーク強度"),
    Named("base_peak_mass_to_charge", "", "Base-peak m/z", "ベースピーク m/z"),
    Named("scan", "", "Scan", "スキャン番号"),
    Named("ms_level", "", "MS level", "MS段数"),
    Named("precursor_mass_to_charge", "", "Precursor m/z", "プリカーサー m/z"),
    Named("product_mass_to_charge", "", "Product m/z", "プロダクト m/z"),
    Named("precursor_charge", "", "Precursor charge", "プリカーサー電荷"),
    Named("collision_energy", "eV", "Collision energy", "衝突エネルギー"),
    Named("mass_to_charge", "", "m/z", "m/z"),
    Named("abundance", "counts", "Abundance", "存在量"),
    Named("ion_current", "A", "Ion current", "イオン電流"),
    Named("ion_count_rate", "count/s", "Ion count rate", "イオン計数率"),
    Named("drift_time", "ms", "Drift time", "ドリフト時間"),
    Named("intensity", "arb", "Intensity", "強度"),
    Named("compound", None, "Compound", "化合物"),
    Named("detector", None, "Detector", "検出器"),
    Named("gas", None, "Gas", "ガス"),
    Named("peak", "", "Peak", "ピーク番号"),
    Named("chromatogram", "", "Chromatogram", "クロマトグラム番号"),
    Named("retention_time", "min", "Retention time", "保持時間"),
    Named("peak_start", "min", "Peak start", "ピーク開始"),
    Named("peak_end", "min", "Peak end", "ピーク終了"),
    Named("peak_area", None, "Peak area", "ピーク面積"),
    Named("peak_height", None, "Peak height", "ピーク高さ"),
    Named("peak_width", "min", "Peak width", "ピーク幅"),
    Named("area_fraction", "percent", "Area fraction", "面積率"),
    Named("concentration", None, "Concentration", "濃度"),
    Named("normalised_concentration", "percent", "Normalised concentration", "規格化濃度"),
    Named("signal_to_noise", "", "Signal-to-noise ratio", "SN比"),
    *(Named(f"delta_{i.lower()}", "permille", f"δ{i}", f"δ{i}") for i in ("2H", "13C", "15N", "18O", "34S")),
    Named("raw_peak_area", "mV*s", "Peak area as recorded", "ピーク面積（生値）"),
    Named("raw_peak_area_all", "mV*s", "Peak area as recorded, all masses", "ピーク面積（生値、全質量）"),
    Named("peak_area_all", None, "Peak area, all masses", "ピーク面積（全質量）"),
    Named("width", None, "Width", "幅"),
)


def _technique(
    key: str, title: str, title_ja: str, short: str, term: str = "", *, masses: bool = True
) -> Technique:
    conditions = (*_CHROMATOGRAPHY, *_MASS) if masses else _CHROMATOGRAPHY
    return Technique(key, title, title_ja, short, "separation", conditions, _SIGNALS, term=term)


TECHNIQUES = (
    _technique(
        "chromatography", "Chromatography", "クロマトグラフィー", "GC/LC", "CHMO:0001000", masses=False
    ),
    _technique("gc", "Gas chromatography", "ガスクロマトグラフィー", "GC", "CHMO:0001002", masses=False),
    _technique("lc", "Liquid chromatography", "液体クロマトグラフィー", "LC", "CHMO:0001004", masses=False),
    _technique(
        "gc_ms", "Gas chromatography–mass spectrometry", "ガスクロマトグラフ質量分析", "GC-MS", "CHMO:0000497"
    ),
    _technique(
        "lc_ms",
        "Liquid chromatography–mass spectrometry",
        "液体クロマトグラフ質量分析",
        "LC-MS",
        "CHMO:0000524",
    ),
    _technique("mass_spectrometry", "Mass spectrometry", "質量分析", "MS", "CHMO:0000470"),
    _technique("irms", "Isotope-ratio mass spectrometry", "安定同位体比質量分析", "IRMS"),
    _technique(
        "icp_ms", "Inductively coupled plasma mass spectrometry", "誘導結合プラズマ質量分析", "ICP-MS"
    ),
    _technique("ion_mobility", "Ion mobility spectrometry", "イオン移動度分析", "IMS"),
)
