"""Light absorbed, scattered or emitted."""

from zairyo.measurement.techniques._base import Condition, Named, Technique

_CONDITIONS = (
    Condition(
        "laser_wavelength",
        "nm",
        "Laser wavelength",
        "レーザー波長",
        "instrument/beam_incident/wavelength",
        main=True,
    ),
    Condition(
        "laser_power", "mW", "Laser power", "レーザー出力", "instrument/beam_incident/power", main=True
    ),
    Condition("exposure_time", "s", "Exposure time", "露光時間", "instrument/detector/count_time", main=True),
    Condition("objective", None, "Objective", "対物レンズ", main=True),
    Condition("grating", None, "Grating", "回折格子", main=True),
    Condition("slit_width", "um", "Slit width", "スリット幅"),
    Condition("resolution", "1/cm", "Resolution", "分解能", main=True),
    Condition("excitation_wavelength", "nm", "Excitation wavelength", "励起波長", main=True),
    Condition("emission_wavelength", "nm", "Emission wavelength", "蛍光波長", main=True),
    Condition("path_length", "cm", "Path length", "光路長", main=True),
    Condition("detector", None, "Detector", "検出器", "instrument/detector/type"),
    Condition("apodisation", None, "Apodisation", "アポダイゼーション"),
    Condition("scan_mode", None, "Scan mode", "測定モード"),
)

_SIGNALS = (
    Named("raman_shift", "1/cm", "Raman shift", "ラマンシフト"),
    Named("wavenumber", "1/cm", "Wavenumber", "波数"),
    Named("wavelength", "nm", "Wavelength", "波長"),
    Named("photon_energy", "eV", "Photon energy", "光子エネルギー"),
    Named("intensity", "counts", "Intensity", "強度"),
    Named("absorbance", "", "Absorbance", "吸光度"),
    Named("transmittance", "", "Transmittance", "透過率"),
    Named("reflectance", "", "Reflectance", "反射率"),
    Named("time", "s", "Time", "時間"),
    Named("x", "um", "x", "x"),
    Named("y", "um", "y", "y"),
    Named("z", "um", "z", "z"),
)

TECHNIQUES = (
    Technique(
        "raman",
        "Raman spectroscopy",
        "ラマン分光",
        "Raman",
        "optical",
        _CONDITIONS,
        _SIGNALS,
        monotonic=("raman_shift",),
        definition="NXraman",
    ),
    Technique(
        "photoluminescence",
        "Photoluminescence",
        "フォトルミネッセンス",
        "PL",
        "optical",
        _CONDITIONS,
        _SIGNALS,
        monotonic=("wavelength",),
    ),
    Technique(
        "ir",
        "Infrared spectroscopy",
        "赤外分光",
        "IR",
        "optical",
        _CONDITIONS,
        _SIGNALS,
        monotonic=("wavenumber",),
        reversed_axes=("wavenumber",),
    ),
    Technique(
        "uv_vis",
        "UV-visible spectroscopy",
        "紫外可視分光",
        "UV-Vis",
        "optical",
        _CONDITIONS,
        _SIGNALS,
        monotonic=("wavelength",),
    ),
    Technique(
        "fluorescence",
        "Fluorescence spectroscopy",
        "蛍光分光",
        "Fluorescence",
        "optical",
        _CONDITIONS,
        _SIGNALS,
    ),
)
