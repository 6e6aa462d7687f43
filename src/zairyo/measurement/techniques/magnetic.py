"""Magnetism, transport and heat capacity at low temperature."""

from zairyo.measurement.techniques._base import Condition, Named, Technique

_CONDITIONS = (
    Condition("magnetic_field", "Oe", "Magnetic field", "磁場", "sample/magnetic_field", main=True),
    Condition("sweep_rate", "K/min", "Sweep rate", "掃引速度", main=True),
    Condition("averaging_time", "s", "Averaging time", "平均時間", main=True),
    Condition("frequency", "Hz", "Frequency", "周波数", main=True),
    Condition("temperature", "K", "Temperature", "温度", "sample/temperature", main=True),
    Condition("sample_molar_mass", "g/mol", "Molar mass", "モル質量"),
    Condition("sample_shape", None, "Sample shape", "試料形状"),
    Condition("sample_holder", None, "Sample holder", "試料ホルダー"),
    Condition("sample_offset", "mm", "Sample offset", "試料位置"),
)

_SIGNALS = (
    Named("time", "s", "Time", "時間"),
    Named("temperature", "K", "Temperature", "温度"),
    Named("magnetic_field", "Oe", "Magnetic field", "磁場"),
    Named("magnetic_moment", "emu", "Magnetic moment", "磁気モーメント"),
    Named("magnetisation", "emu/g", "Magnetisation", "磁化"),
    Named(
        "magnetic_moment_fixed_centre", "emu", "Magnetic moment (fixed centre)", "磁気モーメント（中心固定）"
    ),
    Named(
        "magnetic_moment_free_centre", "emu", "Magnetic moment (free centre)", "磁気モーメント（中心可変）"
    ),
    Named("magnetic_moment_quadrature", "emu", "Magnetic moment (quadrature)", "磁気モーメント（直交成分）"),
    Named("magnetic_moment_raw", "emu", "Magnetic moment before correction", "補正前磁気モーメント"),
    Named(
        "magnetic_moment_raw_quadrature",
        "emu",
        "Magnetic moment before correction (quadrature)",
        "補正前磁気モーメント（直交成分）",
    ),
    Named("coil_signal_real", "mV", "Coil signal, in phase", "検出コイル信号（同相）"),
    Named("coil_signal_imaginary", "mV", "Coil signal, out of phase", "検出コイル信号（直交）"),
    Named("centre_position", "mm", "Centre position", "中心位置"),
    Named("apparent_mass", "g", "Apparent mass on the transport", "駆動部の見かけ質量"),
    Named("ac_moment", "emu", "AC moment", "交流磁気モーメント"),
    Named("ac_moment_real", "emu", "AC moment m′", "交流磁気モーメント m′"),
    Named("ac_moment_imaginary", "emu", "AC moment m″", "交流磁気モーメント m″"),
    Named("ac_susceptibility", "emu/Oe", "AC susceptibility", "交流磁化率"),
    Named("ac_susceptibility_real", "emu/Oe", "AC susceptibility χ′", "交流磁化率 χ′"),
    Named("ac_susceptibility_imaginary", "emu/Oe", "AC susceptibility χ″", "交流磁化率 χ″"),
    Named("ac_phase", "deg", "AC phase", "交流位相"),
    Named("ac_frequency", "Hz", "AC frequency", "交流周波数"),
    Named("drive_field", "Oe", "AC drive field", "交流駆動磁場"),
    Named("torque", "N*m", "Torque", "磁気トルク"),
    Named("resistance", "ohm", "Resistance", "電気抵抗"),
    Named("resistivity", "ohm*cm", "Resistivity", "電気抵抗率"),
    Named("excitation_current", "uA", "Excitation current", "励起電流"),
    Named("hall_coefficient", "cm**3/C", "Hall coefficient", "ホール係数"),
    Named("critical_current", "mA", "Critical current", "臨界電流"),
    Named("phase", "deg", "Phase", "位相"),
    Named("voltage", "V", "Voltage", "電圧"),
    Named("heat_capacity", "uJ/K", "Heat capacity", "熱容量"),
    Named("heat_capacity_total", "uJ/K", "Total heat capacity", "全熱容量"),
    Named("heat_capacity_addenda", "uJ/K", "Addenda heat capacity", "アデンダ熱容量"),
    Named("heat_capacity_per_temperature", "uJ/K**2", "Heat capacity / temperature", "熱容量/温度"),
    Named("debye_temperature", "K", "Debye temperature", "デバイ温度"),
    Named("thermal_conductivity", "W/(K*m)", "Thermal conductivity", "熱伝導率"),
    Named("seebeck_coefficient", "uV/K", "Seebeck coefficient", "ゼーベック係数"),
    Named("figure_of_merit", "", "Figure of merit ZT", "性能指数 ZT"),
    Named("timestamp", None, "Date and time", "日時"),
    Named("comment", None, "Comment", "コメント"),
    Named("pressure", "torr", "Chamber pressure", "試料室圧力"),
    Named("sample_position", "deg", "Sample position", "試料角度"),
    Named("averaging_time", "s", "Averaging time", "平均時間"),
    Named("frequency", "Hz", "Frequency", "周波数"),
    Named("vibration_amplitude", "mm", "Vibration amplitude", "振動振幅"),
    Named("system_temperature", "K", "System temperature", "システム温度"),
    Named("puck_temperature", "K", "Puck temperature", "パック温度"),
)

TECHNIQUES = (
    Technique("magnetometry", "Magnetometry", "磁化測定", "Magnetometry", "magnetic", _CONDITIONS, _SIGNALS),
    Technique(
        "heat_capacity", "Heat capacity", "熱容量測定", "Heat capacity", "magnetic", _CONDITIONS, _SIGNALS
    ),
    Technique(
        "transport", "Electrical transport", "電気輸送測定", "Transport", "magnetic", _CONDITIONS, _SIGNALS
    ),
    Technique(
        "thermal_transport",
        "Thermal transport",
        "熱輸送測定",
        "Thermal transport",
        "magnetic",
        _CONDITIONS,
        _SIGNALS,
    ),
)
