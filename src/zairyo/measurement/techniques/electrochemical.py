"""Cells and electrodes."""

from zairyo.measurement.techniques._base import Condition, Named, Technique

_CONDITIONS = (
    Condition("active_mass", "mg", "Active mass", "活物質質量", main=True),
    Condition("nominal_capacity", "mAh", "Nominal capacity", "公称容量", main=True),
    Condition("channel", None, "Channel", "チャンネル", main=True),
    Condition("test_protocol", None, "Protocol file", "試験プロトコル", main=True),
    Condition("barcode", None, "Barcode", "バーコード"),
    Condition("cycle_count", "", "Cycles", "サイクル数", main=True),
    Condition("voltage_upper_limit", "V", "Upper voltage limit", "上限電圧", main=True),
    Condition("voltage_lower_limit", "V", "Lower voltage limit", "下限電圧", main=True),
    Condition("current_range", "mA", "Current range", "電流レンジ"),
)

_SIGNALS = (
    Named("index", "", "Record", "レコード"),
    Named("cycle", "", "Cycle", "サイクル"),
    Named("cycle_charge_first", "", "Cycle, counted from each charge", "サイクル（充電開始基準）"),
    Named("step", "", "Step", "ステップ"),
    Named("step_index", "", "Step of the protocol", "プロトコルのステップ"),
    Named("step_type", None, "Step type", "ステップ種別"),
    Named("time", "s", "Time", "時間"),
    Named("step_time", "s", "Time in step", "ステップ内時間"),
    Named("timestamp", None, "Date and time", "日時"),
    Named("voltage", "V", "Voltage", "電圧"),
    Named("current", "mA", "Current", "電流"),
    Named("capacity", "mAh", "Capacity", "容量"),
    Named("charge_capacity", "mAh", "Charge capacity", "充電容量"),
    Named("discharge_capacity", "mAh", "Discharge capacity", "放電容量"),
    Named("charge_energy", "mWh", "Charge energy", "充電エネルギー"),
    Named("discharge_energy", "mWh", "Discharge energy", "放電エネルギー"),
    Named("power", "mW", "Power", "電力"),
    Named("internal_resistance", "mohm", "Internal resistance", "内部抵抗"),
    Named("temperature", "degC", "Temperature", "温度"),
    Named("temperature_setpoint", "degC", "Temperature set point", "設定温度"),
    Named("humidity", "percent", "Relative humidity", "相対湿度"),
    Named("auxiliary_voltage", "V", "Auxiliary voltage", "補助電圧"),
    Named("auxiliary_current", "mA", "Auxiliary current", "補助電流"),
    Named("auxiliary", None, "Auxiliary channel", "補助チャンネル"),
)

TECHNIQUES = (
    Technique(
        "battery_cycling",
        "Battery cycling",
        "充放電試験",
        "Cycling",
        "electrochemical",
        _CONDITIONS,
        _SIGNALS,
    ),
)
