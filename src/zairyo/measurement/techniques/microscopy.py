"""Electron microscopy: images, diffraction, X-ray and energy-loss spectra with a place each.

A spectrum image is one entry over (y, x, energy); an image is one over (y, x); where the beam is scanned and every
place has a diffraction pattern (4D-STEM), the scan's axes are y and x and the detector's are k_y and k_x. Without a
calibration, positions are in ``pixel`` and spectral positions are channel numbers.
"""

from zairyo.measurement.techniques._base import Condition, Named, Technique

_COLUMN = (
    Condition(
        "accelerating_voltage",
        "kV",
        "Accelerating voltage",
        "加速電圧",
        "instrument/ebeam_column/electron_source/voltage",
        main=True,
    ),
    Condition("magnification", "", "Magnification", "倍率", main=True),
    Condition("beam_current", "nA", "Beam current", "ビーム電流", main=True),
    Condition("emission_current", "uA", "Emission current", "エミッション電流"),
    Condition("working_distance", "mm", "Working distance", "作動距離", main=True),
    Condition("spot_size", "", "Spot size number", "スポットサイズ番号"),
    Condition("beam_diameter", "nm", "Beam diameter", "ビーム径"),
    Condition("convergence_angle", "mrad", "Convergence semi-angle", "収束半角"),
    Condition("collection_angle", "mrad", "Collection semi-angle", "取り込み半角"),
    Condition("camera_length", "mm", "Camera length", "カメラ長"),
    Condition("defocus", "nm", "Defocus", "デフォーカス"),
    Condition("spherical_aberration", "mm", "Spherical aberration coefficient", "球面収差係数"),
    Condition("aperture", None, "Aperture", "絞り"),
    Condition("electron_source", None, "Electron source", "電子源"),
    Condition("operating_mode", None, "Operating mode", "動作モード"),
    Condition("illumination_mode", None, "Illumination mode", "照射モード"),
    Condition("imaging_mode", None, "Imaging mode", "結像モード"),
    Condition("chamber_pressure", "Pa", "Chamber pressure", "試料室圧力"),
    Condition("ion_beam_voltage", "kV", "Ion beam voltage", "イオンビーム電圧"),
)
_STAGE = (
    Condition("stage_x", "mm", "Stage x", "ステージ x"),
    Condition("stage_y", "mm", "Stage y", "ステージ y"),
    Condition("stage_z", "mm", "Stage z", "ステージ z"),
    Condition("stage_rotation", "deg", "Stage rotation", "ステージ回転"),
    Condition("tilt_alpha", "deg", "Stage tilt α", "試料傾斜 α"),
    Condition("tilt_beta", "deg", "Stage tilt β", "試料傾斜 β"),
)
_ACQUISITION = (
    Condition("detector", None, "Detector", "検出器", "instrument/detector/local_name", main=True),
    Condition("detector_type", None, "Detector type", "検出器の種類", "instrument/detector/type"),
    Condition("detector_serial", None, "Detector serial number", "検出器シリアル番号"),
    Condition("exposure_time", "s", "Exposure time", "露光時間", "instrument/detector/count_time", main=True),
    Condition("dwell_time", "us", "Dwell time a pixel", "画素滞在時間", main=True),
    Condition("frame_time", "s", "Time a frame", "フレーム時間"),
    Condition("frames", "", "Frames", "フレーム数"),
    Condition("binning", None, "Binning", "ビニング"),
    Condition("gain", None, "Gain", "ゲイン"),
    Condition("brightness", "percent", "Brightness", "明るさ"),
    Condition("contrast", "percent", "Contrast", "コントラスト"),
    Condition("scan_rotation", "deg", "Scan rotation", "走査回転"),
    Condition("field_of_view", "um", "Width of the field of view", "視野の幅"),
    Condition("pixel_size", "nm", "Pixel size", "画素サイズ"),
    # The values are as the detector gave them: calibrated = scale · (value − origin), in ``intensity_unit``.
    Condition("intensity_scale", "", "Calibration of the intensity, scale", "強度校正のスケール"),
    Condition("intensity_origin", "", "Calibration of the intensity, origin", "強度校正の原点"),
    Condition("intensity_unit", None, "Calibration of the intensity, unit", "強度校正の単位"),
)
_XRAY = (
    Condition("live_time", "s", "Live time", "ライブタイム", "instrument/detector/live_time", main=True),
    Condition("real_time", "s", "Real time", "リアルタイム", "instrument/detector/real_time", main=True),
    Condition("dead_time", "percent", "Dead time", "デッドタイム", "instrument/detector/dead_time"),
    Condition("process_time", "us", "Process (shaping) time", "プロセスタイム"),
    Condition("input_count_rate", "count/s", "Input count rate", "入力計数率"),
    Condition("output_count_rate", "count/s", "Output count rate", "出力計数率"),
    Condition("energy_resolution", "eV", "Energy resolution at Mn Kα", "エネルギー分解能 (Mn Kα)", main=True),
    Condition("elevation_angle", "deg", "Detector elevation angle", "検出器仰角"),
    Condition("azimuth_angle", "deg", "Detector azimuth angle", "検出器方位角"),
    Condition("take_off_angle", "deg", "X-ray take-off angle", "X線取り出し角"),
    Condition("incidence_angle", "deg", "Beam incidence angle", "ビーム入射角"),
    Condition("solid_angle", "steradian", "Detector solid angle", "検出器立体角"),
    Condition("elements", None, "Elements", "元素", main=True),
    Condition("xray_line", None, "X-ray line", "X線の線種"),
    Condition("energy_from", "keV", "Window from", "エネルギー範囲の下限"),
    Condition("energy_to", "keV", "Window to", "エネルギー範囲の上限"),
    Condition("detector_window", None, "Detector window", "検出器窓"),
    Condition("detector_thickness", "mm", "Thickness of the detector's crystal", "検出素子の厚さ"),
    Condition("dead_layer_thickness", "um", "Dead layer thickness", "不感層の厚さ"),
    Condition("xray_tube_voltage", "kV", "X-ray tube voltage", "X線管電圧", "instrument/source/voltage"),
    Condition("xray_tube_current", "mA", "X-ray tube current", "X線管電流", "instrument/source/current"),
    Condition("xray_source_element", None, "Anode", "ターゲット元素", "instrument/source/target_material"),
)
_LOSS = (
    Condition("spectrometer", None, "Spectrometer", "分光器"),
    Condition("spectrometer_aperture", "mm", "Spectrometer entrance aperture", "分光器入射絞り"),
    Condition("energy_dispersion", "eV", "Dispersion a channel", "1 チャンネルの分散"),
    Condition("energy_shift", "eV", "Energy shift", "エネルギーシフト"),
    Condition("slit_width", "eV", "Energy slit width", "エネルギースリット幅"),
)
_LIGHT = (
    Condition("grating", None, "Grating", "回折格子", main=True),
    Condition("central_wavelength", "nm", "Central wavelength", "中心波長", main=True),
    Condition("slit_width", "mm", "Slit width", "スリット幅"),
    Condition("filter", None, "Filter", "フィルター"),
)

_PLACES = (
    Named("intensity", "counts", "Intensity", "強度"),
    Named("x", "um", "x", "x"),
    Named("y", "um", "y", "y"),
    Named("z", "um", "z", "z"),
    Named("k_x", "1/nm", "Reciprocal x", "逆空間 x"),
    Named("k_y", "1/nm", "Reciprocal y", "逆空間 y"),
    Named("angle_x", "mrad", "Scattering angle x", "散乱角 x"),
    Named("angle_y", "mrad", "Scattering angle y", "散乱角 y"),
    Named("distance", "um", "Distance along the line", "線上の距離"),
    Named("frame", "", "Frame", "フレーム"),
    Named("time", "s", "Time", "時間"),
    Named("tilt", "deg", "Tilt", "傾斜角"),
    Named("colour", None, "Colour", "色"),
    Named("phase", "rad", "Phase", "位相"),
)
_ENERGY = Named("energy", "keV", "Energy", "エネルギー")
_ENERGY_LOSS = Named("energy_loss", "eV", "Energy loss", "エネルギー損失")
_WAVELENGTH = Named("wavelength", "nm", "Wavelength", "波長")
_CHANNEL = Named("channel", "", "Channel", "チャンネル")
_SPECTRUM = (
    _CHANNEL,
    Named("background", "counts", "Background", "バックグラウンド"),
    Named("fit", "counts", "Fitted spectrum", "フィット"),
    Named("live_time", "s", "Live time", "ライブタイム"),
)


def _technique(
    key: str,
    title: str,
    title_ja: str,
    short: str,
    conditions: tuple[Condition, ...] = (),
    signals: tuple[Named, ...] = (),
    term: str = "",
) -> Technique:
    return Technique(
        key,
        title,
        title_ja,
        short,
        "microscopy",
        (*_COLUMN, *_STAGE, *_ACQUISITION, *conditions),
        (*_PLACES, *signals),
        monotonic=tuple(s.name for s in signals if s in (_ENERGY, _ENERGY_LOSS, _WAVELENGTH)),
        term=term,
    )


TECHNIQUES: tuple[Technique, ...] = (
    _technique("sem", "Scanning electron microscopy", "走査電子顕微鏡", "SEM", term="CHMO:0000073"),
    _technique("tem", "Transmission electron microscopy", "透過電子顕微鏡", "TEM", term="CHMO:0000080"),
    _technique("stem", "Scanning transmission electron microscopy", "走査透過電子顕微鏡", "STEM"),
    _technique("fib", "Focused ion beam microscopy", "集束イオンビーム顕微鏡", "FIB"),
    _technique("electron_diffraction", "Electron diffraction", "電子回折", "ED", term="CHMO:0000142"),
    _technique("stem_4d", "4D scanning transmission electron microscopy", "4D-STEM", "4D-STEM"),
    _technique("electron_holography", "Electron holography", "電子線ホログラフィー", "Holography"),
    _technique("ebsd", "Electron backscatter diffraction", "電子後方散乱回折", "EBSD"),
    _technique(
        "eds",
        "Energy-dispersive X-ray spectroscopy",
        "エネルギー分散型X線分光",
        "EDS",
        _XRAY,
        (_ENERGY, *_SPECTRUM),
    ),
    _technique(
        "wds",
        "Wavelength-dispersive X-ray spectroscopy",
        "波長分散型X線分光",
        "WDS",
        _XRAY,
        (_ENERGY, _WAVELENGTH, *_SPECTRUM),
    ),
    _technique("xrf", "X-ray fluorescence spectroscopy", "蛍光X線分析", "XRF", _XRAY, (_ENERGY, *_SPECTRUM)),
    _technique(
        "eels",
        "Electron energy-loss spectroscopy",
        "電子エネルギー損失分光",
        "EELS",
        _LOSS,
        (_ENERGY_LOSS, *_SPECTRUM),
    ),
    _technique(
        "cathodoluminescence",
        "Cathodoluminescence",
        "カソードルミネッセンス",
        "CL",
        _LIGHT,
        (_WAVELENGTH, Named("photon_energy", "eV", "Photon energy", "光子エネルギー"), *_SPECTRUM),
    ),
)
