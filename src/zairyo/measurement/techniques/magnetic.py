"""Magnetism, transport and heat capacity at low temperature."""

from zairyo.measurement.techniques._base import Condition, Named, Technique

_CONDITIONS = (
    Condition("magnetic_field", "Oe", "Magnetic field", "磁場", "sample/magnetic_field", main=True),
    Condition("sweep_rate", "K/min", "Sweep rate", "掃引速度", main=True),
    Condition("averaging_time", "s", "Averaging time", "平均時間", main=True),
    Condition("frequency", "Hz", "Frequency", "周波数", main=True),
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
    Named("resistance", "ohm", "Resistance", "電気抵抗"),
    Named("resistivity", "ohm*cm", "Resistivity", "電気抵抗率"),
    Named("heat_capacity", "uJ/K", "Heat capacity", "熱容量"),
)

TECHNIQUES = (
    Technique("magnetometry", "Magnetometry", "磁化測定", "Magnetometry", "magnetic", _CONDITIONS, _SIGNALS),
    Technique(
        "heat_capacity", "Heat capacity", "熱容量測定", "Heat capacity", "magnetic", _CONDITIONS, _SIGNALS
    ),
    Technique(
        "transport", "Electrical transport", "電気輸送測定", "Transport", "magnetic", _CONDITIONS, _SIGNALS
    ),
)
