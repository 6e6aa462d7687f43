"""Scanning probe microscopy and surface topography: maps of height and force, curves at a point."""

from zairyo.measurement.techniques._base import Condition, Named, Technique

_SCAN = (
    Condition("scan_size_x", "um", "Scan width", "走査幅 x", main=True),
    Condition("scan_size_y", "um", "Scan height", "走査幅 y", main=True),
    Condition("scan_angle", "deg", "Scan angle", "走査角度"),
    Condition("scan_rate", "Hz", "Line rate", "走査周波数", main=True),
    Condition("scan_speed", "um/s", "Scan speed", "走査速度"),
    Condition("scan_direction", None, "Slow scan direction", "副走査方向"),
    Condition("position_x", "um", "Position x", "位置 x"),
    Condition("position_y", "um", "Position y", "位置 y"),
    Condition("position_z", "um", "Position z", "位置 z"),
    Condition("imaging_mode", None, "Imaging mode", "測定モード", main=True),
    Condition("setpoint", None, "Setpoint", "セットポイント", main=True),
    Condition("feedback", None, "Feedback on", "フィードバック"),
    Condition("proportional_gain", None, "Proportional gain", "比例ゲイン"),
    Condition("integral_gain", None, "Integral gain", "積分ゲイン"),
    Condition("probe", None, "Probe", "プローブ", main=True),
)
_BIAS = (
    Condition("bias_voltage", "V", "Bias voltage", "バイアス電圧", main=True),
    Condition("tunnelling_current", "nA", "Tunnelling current", "トンネル電流", main=True),
)
_CANTILEVER = (
    Condition("spring_constant", "N/m", "Spring constant", "ばね定数", main=True),
    Condition("deflection_sensitivity", "nm/V", "Inverse optical lever sensitivity", "光てこ感度", main=True),
    Condition("tip_radius", "um", "Tip radius", "探針半径", main=True),
    Condition("tip_shape", None, "Tip shape", "探針形状"),
    Condition("drive_frequency", "kHz", "Drive frequency", "加振周波数", main=True),
    Condition("drive_amplitude", None, "Drive amplitude", "加振振幅"),
    Condition("resonance_frequency", "kHz", "Resonance frequency", "共振周波数"),
    Condition("quality_factor", "", "Quality factor", "Q 値"),
)
_CURVE = (
    Condition("approach_speed", "um/s", "Approach speed", "接近速度", main=True),
    Condition("retract_speed", "um/s", "Retract speed", "後退速度"),
    Condition("approach_duration", "s", "Approach duration", "接近時間"),
    Condition("retract_duration", "s", "Retract duration", "後退時間"),
    Condition("pause_duration", "s", "Pause duration", "保持時間"),
    Condition("curve_length", "um", "Length of the ramp", "フォースカーブ長", main=True),
    Condition("sampling_rate", "Hz", "Sampling rate", "サンプリング周波数"),
    Condition("contact_position", "um", "Contact position", "接触位置"),
    Condition("youngs_modulus", "Pa", "Young's modulus (the vendor's fit)", "ヤング率（装置の解析値）"),
)
_LOCK_IN = (
    Condition("modulation_frequency", "Hz", "Modulation frequency", "変調周波数", main=True),
    Condition("modulation_amplitude", None, "Modulation amplitude", "変調振幅", main=True),
    Condition("settling_time", "s", "Settling time", "整定時間"),
    Condition("integration_time", "s", "Integration time", "積分時間"),
    Condition("z_offset", "nm", "z offset", "z オフセット"),
)
_OPTICS = (
    Condition("laser_wavelength", "nm", "Laser wavelength", "レーザー波長", main=True),
    Condition("demodulation_mode", None, "Demodulation mode", "復調モード"),
    Condition("tapping_amplitude", "nm", "Tapping amplitude", "タッピング振幅", main=True),
    Condition("resolution", "1/cm", "Resolution", "分解能", main=True),
)
_PROFILER = (
    Condition("objective", None, "Objective", "対物レンズ", main=True),
    Condition("stylus_force", "mg", "Stylus force", "触針力"),
)

_POSITION = (
    Named("x", "um", "x", "x"),
    Named("y", "um", "y", "y"),
    Named("z", "um", "z", "z"),
    Named("distance", "um", "Distance along the line", "線上の距離"),
    Named("frame", None, "Frame", "フレーム"),
)
_CHANNELS = (
    Named("height", "nm", "Height", "高さ"),
    Named("height_measured", "nm", "Height (measured)", "高さ（実測）"),
    Named("deflection", "nm", "Deflection", "たわみ"),
    Named("lateral_deflection", "V", "Lateral deflection", "横たわみ"),
    Named("amplitude", None, "Amplitude", "振幅"),
    Named("phase", "deg", "Phase", "位相"),
    Named("error", None, "Error signal", "誤差信号"),
    Named("frequency_shift", "Hz", "Frequency shift", "周波数シフト"),
    Named("excitation", "V", "Excitation", "励振"),
    Named("dissipation", None, "Dissipation", "散逸"),
    Named("current", "A", "Current", "電流"),
    Named("log_current", None, "Logarithm of the current", "電流の対数"),
    Named("bias", "V", "Bias", "バイアス電圧"),
    Named("potential", "V", "Surface potential", "表面電位"),
    Named("adhesion", "N", "Adhesion", "凝着力"),
    Named("modulus", "Pa", "Modulus", "弾性率"),
    Named("stiffness", "N/m", "Stiffness", "剛性"),
    Named("channel", None, "Channel", "チャンネル"),
    Named("value", None, "Value (the file does not name it)", "値（名称の記載なし）"),
)
_IMAGE = (
    _POSITION
    + _CHANNELS
    + tuple(
        Named(f"{c.name}_retrace", c.unit, f"{c.title}, retrace", f"{c.title_ja}（復路）") for c in _CHANNELS
    )
)
_FORCE_CURVE = (
    *_POSITION,
    Named("point", None, "Point of the curve", "測定点"),
    Named("curve", None, "Number of the curve", "カーブ番号"),
    Named("time", "s", "Time", "時間"),
    Named("force", "nN", "Force", "力"),
    Named("deflection", "nm", "Deflection", "たわみ"),
    Named("deflection_voltage", "V", "Deflection, not calibrated", "たわみ（未校正）"),
    Named("lateral_deflection", "V", "Lateral deflection", "横たわみ"),
    Named("height", "um", "Piezo height", "ピエゾ高さ"),
    Named("height_measured", "um", "Height (measured)", "高さ（実測）"),
    Named("tip_position", "um", "Tip position", "探針位置"),
    Named("piezo", "um", "Piezo displacement", "ピエゾ変位"),
    Named("indentation", "um", "Indentation", "押し込み深さ"),
    Named("cantilever", "um", "Cantilever bending", "カンチレバー変位"),
    Named("auxiliary", None, "Auxiliary signal", "補助信号"),
    Named("segment", None, "Segment", "セグメント"),
    Named("amplitude", None, "Amplitude", "振幅"),
    Named("phase", "deg", "Phase", "位相"),
    Named("frequency_shift", "Hz", "Frequency shift", "周波数シフト"),
    Named("current", "A", "Current", "電流"),
    Named("setpoint_height", "um", "Height at the setpoint", "セットポイント高さ"),
)
_SPECTROSCOPY = (
    Named("bias", "V", "Bias", "バイアス電圧"),
    Named("bias_measured", "V", "Bias (measured)", "バイアス電圧（実測）"),
    Named("current", "A", "Current", "電流"),
    Named("differential_conductance", None, "dI/dV", "dI/dV（微分コンダクタンス）"),
    *(
        Named(f"lock_in_{n}_{part}", None, f"Lock-in {n}, {part.upper()}", f"ロックイン {n} {part.upper()}")
        for n in (1, 2)
        for part in "xy"
    ),
    Named("height", "m", "Height", "高さ"),
    Named("time", "s", "Time", "時間"),
    Named("frequency", "Hz", "Frequency", "周波数"),
    Named("frequency_shift", "Hz", "Frequency shift", "周波数シフト"),
    Named("amplitude", None, "Amplitude", "振幅"),
    Named("phase", "deg", "Phase", "位相"),
    Named("excitation", "V", "Excitation", "励振"),
    Named("temperature", "K", "Temperature", "温度"),
    Named("position_x", "m", "Position x", "位置 x"),
    Named("position_y", "m", "Position y", "位置 y"),
)
_SPECTRUM = (
    _POSITION
    + _SPECTROSCOPY
    + tuple(
        Named(f"{c.name}_filtered", c.unit, f"{c.title}, filtered", f"{c.title_ja}（フィルター後）")
        for c in _SPECTROSCOPY
    )
)
_NEAR_FIELD = (
    *_POSITION,
    Named("wavenumber", "1/cm", "Wavenumber", "波数"),
    Named("optical_path_difference", "um", "Optical path difference", "光路差"),
    Named("point", "", "Point of the spectrum", "測定点"),
    Named("time", "s", "Time", "時間"),
    Named("height", "nm", "Height", "高さ"),
    *(
        Named(f"{part}_{n}", unit, f"{title}, harmonic {n}", f"{title_ja}（{n} 次高調波）")
        for part, unit, title, title_ja in (
            ("optical_amplitude", "arb", "Optical amplitude", "光学振幅"),
            ("optical_phase", "rad", "Optical phase", "光学位相"),
        )
        for n in range(6)
    ),
    Named("mirror_position", "um", "Mirror position", "ミラー位置"),
    Named("run", None, "Run", "測定回"),
    Named("mechanical_amplitude", None, "Mechanical amplitude", "機械振幅"),
    Named("mechanical_phase", None, "Mechanical phase", "機械位相"),
    Named("amplitude", None, "Amplitude", "振幅"),
    Named("phase", None, "Phase", "位相"),
)
_TOPOGRAPHY = (
    *_POSITION,
    Named("height", "um", "Height", "高さ"),
    Named("intensity", None, "Intensity", "強度"),
    Named("colour", None, "Colour", "色"),
)

_F = "scanning_probe"

TECHNIQUES: tuple[Technique, ...] = (
    Technique(
        "afm",
        "Atomic force microscopy",
        "原子間力顕微鏡",
        "AFM",
        _F,
        _SCAN + _CANTILEVER + _BIAS,
        _IMAGE,
        monotonic=("x", "y"),
        term="CHMO:0000113",
    ),
    Technique(
        "afm_force",
        "Force spectroscopy (AFM)",
        "フォースカーブ測定",
        "Force curve",
        _F,
        _SCAN + _CANTILEVER + _CURVE,
        _FORCE_CURVE,
    ),
    Technique(
        "stm",
        "Scanning tunnelling microscopy",
        "走査型トンネル顕微鏡",
        "STM",
        _F,
        _SCAN + _BIAS + _CANTILEVER,
        _IMAGE,
        monotonic=("x", "y"),
        term="CHMO:0000132",
    ),
    Technique(
        "sts",
        "Scanning tunnelling spectroscopy",
        "走査型トンネル分光",
        "STS",
        _F,
        _SCAN + _BIAS + _CANTILEVER + _LOCK_IN,
        _SPECTRUM,
    ),
    Technique(
        "snom",
        "Near-field optical microscopy and spectroscopy",
        "近接場光学顕微・分光",
        "SNOM",
        _F,
        _SCAN + _CANTILEVER + _OPTICS + _LOCK_IN,
        _NEAR_FIELD,
        monotonic=("x", "y"),
    ),
    Technique(
        "spm",
        "Scanning probe microscopy",
        "走査型プローブ顕微鏡",
        "SPM",
        _F,
        _SCAN + _CANTILEVER + _BIAS + _OPTICS,
        _IMAGE,
        monotonic=("x", "y"),
    ),
    Technique(
        "topography",
        "Surface topography",
        "表面形状測定",
        "Topography",
        _F,
        _SCAN + _PROFILER,
        _TOPOGRAPHY,
        monotonic=("x", "y"),
    ),
)
