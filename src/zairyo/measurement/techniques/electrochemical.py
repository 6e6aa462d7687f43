"""Cells and electrodes.

Signs, the same from every vendor: current and capacity are positive when the cell is charged (anodic current at
the working electrode); ``z_imaginary`` is Im(Z) itself, negative for a capacitor, whatever sign a file stores.
Reactance and real part are in ohm of the whole cell, not of an area.
"""

from zairyo.measurement.techniques._base import Condition, Named, Technique

_CELL = (
    Condition("channel", None, "Channel", "チャンネル", main=True),
    Condition("test_protocol", None, "Protocol file", "試験プロトコル", main=True),
    Condition("method", None, "Method, as the vendor calls it", "測定法（装置の呼び名）", main=True),
    Condition("barcode", None, "Barcode", "バーコード"),
    Condition("schedule_version", None, "Version of the protocol", "プロトコルの版"),
    Condition("active_mass", "mg", "Active mass", "活物質質量", main=True),
    Condition("nominal_capacity", "mAh", "Nominal capacity", "公称容量", main=True),
    Condition("specific_capacity", "mAh/g", "Nominal specific capacity", "公称比容量"),
    Condition("c_rate_current", "mA", "Current of 1 C", "1Cの電流"),
    Condition("electrode_area", "cm**2", "Electrode area", "電極面積"),
    Condition("electrode_material", None, "Electrode material", "電極材料"),
    Condition("electrolyte", None, "Electrolyte", "電解液"),
    Condition("reference_electrode", None, "Reference electrode", "参照電極"),
    Condition("cell", None, "Cell", "セル"),
    Condition("open_circuit_voltage", "V", "Open-circuit voltage at the start", "開始時の開回路電圧"),
    Condition("voltage_upper_limit", "V", "Upper voltage limit", "上限電圧", main=True),
    Condition("voltage_lower_limit", "V", "Lower voltage limit", "下限電圧", main=True),
    Condition("current_range", "mA", "Current range", "電流レンジ"),
    Condition("cycle_count", "", "Cycles", "サイクル数", main=True),
    Condition("sampling_interval", "s", "Sampling interval", "サンプリング間隔"),
)
_SWEEP = (
    Condition("scan_rate", "mV/s", "Scan rate", "掃引速度", main=True),
    Condition("initial_voltage", "V", "Initial potential", "初期電位"),
    Condition("final_voltage", "V", "Final potential", "最終電位"),
    Condition("vertex_voltage_1", "V", "First vertex potential", "第一折返し電位", main=True),
    Condition("vertex_voltage_2", "V", "Second vertex potential", "第二折返し電位", main=True),
    Condition("step_voltage", "mV", "Potential step", "電位ステップ"),
)
_PULSE = (
    Condition("applied_voltage", "V", "Applied potential", "印加電位", main=True),
    Condition("applied_current", "mA", "Applied current", "印加電流", main=True),
)
_SPECTRUM_RANGE = (
    Condition("frequency_maximum", "Hz", "Highest frequency", "最高周波数", main=True),
    Condition("frequency_minimum", "Hz", "Lowest frequency", "最低周波数", main=True),
)
_IMPEDANCE = (
    *_SPECTRUM_RANGE,
    Condition("points_per_decade", "1/decade", "Points per decade", "一桁あたりの点数"),
    Condition("voltage_amplitude", "mV", "Voltage amplitude", "電圧振幅", main=True),
    Condition("current_amplitude", "mA", "Current amplitude", "電流振幅"),
    Condition("voltage_amplitude_rms", "mV", "Voltage amplitude, root mean square", "電圧振幅（実効値）"),
    Condition("current_amplitude_rms", "mA", "Current amplitude, root mean square", "電流振幅（実効値）"),
    Condition("applied_voltage", "V", "Applied potential", "印加電位", main=True),
    Condition("applied_current", "mA", "Applied current", "印加電流"),
)

_SIGNALS = (
    Named("index", "", "Record", "レコード"),
    Named("cycle", "", "Cycle", "サイクル"),
    Named("cycle_charge_first", "", "Cycle, counted from each charge", "サイクル（充電開始基準）"),
    Named("total_cycle", "", "Cycle, counted through the whole test", "総サイクル"),
    Named("half_cycle", "", "Half cycle", "半サイクル"),
    Named("z_cycle", "", "Impedance spectrum", "インピーダンス測定の番号"),
    Named("loop", "", "Loop", "ループ"),
    Named("step", "", "Step", "ステップ"),
    Named("step_index", "", "Step of the protocol", "プロトコルのステップ"),
    Named("step_type", None, "Step type", "ステップ種別"),
    Named("step_code", None, "Step type (the vendor's code)", "ステップ種別（装置コード）"),
    Named("cycle_counter", "", "Counter of cycles that the protocol resets", "サイクルカウンター"),
    Named("state", None, "State", "状態"),
    Named("end_status", None, "What ended the record or step", "終了条件"),
    Named("time", "s", "Time", "時間"),
    Named("step_time", "s", "Time in step", "ステップ内時間"),
    Named("charge_time", "s", "Time in charge", "充電時間"),
    Named("discharge_time", "s", "Time in discharge", "放電時間"),
    Named("load_time", "s", "Time under load", "通電時間"),
    Named("timestamp", None, "Date and time", "日時"),
    Named("clock", None, "Date or time, as the file writes it", "日時（ファイル表記）"),
    Named("voltage", "V", "Voltage (of the cell, or working electrode against reference)", "電圧"),
    Named("voltage_average", "V", "Voltage, averaged since the record before", "平均電圧"),
    Named("counter_voltage", "V", "Counter electrode against reference", "対極電位"),
    Named("counter_voltage_average", "V", "Counter electrode against reference, averaged", "平均対極電位"),
    Named("cell_voltage", "V", "Working against counter electrode", "セル電圧"),
    Named("voltage_maximum", "V", "Highest voltage of the cycle", "サイクルの最高電圧"),
    Named("voltage_half_discharged", "V", "Voltage at half the discharge", "放電深度50 %の電圧"),
    Named("open_circuit_voltage", "V", "Open-circuit voltage", "開回路電圧"),
    Named("measured_voltage", "V", "Measured voltage, not compensated", "測定電圧（補償なし）"),
    Named("uncompensated_voltage", "V", "Voltage over the uncompensated resistance", "非補償電圧"),
    Named("control_signal", "V", "Signal of the generator", "制御信号"),
    Named("control_voltage", "V", "Voltage asked for", "設定電圧"),
    Named("control_current", "mA", "Current asked for", "設定電流"),
    Named("control_mode", None, "Control mode", "制御モード"),
    Named("current", "mA", "Current", "電流"),
    Named("current_average", "mA", "Current, averaged since the record before", "平均電流"),
    Named("current_range_code", "", "Current range (the vendor's code)", "電流レンジ（装置コード）"),
    Named("capacity", "mAh", "Capacity", "容量"),
    Named(
        "half_cycle_capacity", "mAh", "Capacity of the half cycle, negative in discharge", "半サイクル容量"
    ),
    Named("charge_capacity", "mAh", "Charge capacity", "充電容量"),
    Named("discharge_capacity", "mAh", "Discharge capacity", "放電容量"),
    Named("charge_passed", "mAh", "Charge passed since the start, with its sign", "通過電気量"),
    Named("charge_increment", "mAh", "Charge passed since the record before", "電気量の増分"),
    Named("step_charge", "mAh", "Charge passed in the step", "ステップ電気量"),
    Named("specific_capacity", "mAh/g", "Specific capacity", "比容量"),
    Named("specific_charge_capacity", "mAh/g", "Specific charge capacity", "充電比容量"),
    Named("specific_discharge_capacity", "mAh/g", "Specific discharge capacity", "放電比容量"),
    Named("specific_differential_capacity", "mAh/(V*g)", "Specific dQ/dV", "比微分容量 dQ/dV"),
    Named("energy", "mWh", "Energy", "エネルギー"),
    Named("charge_energy", "mWh", "Charge energy", "充電エネルギー"),
    Named("discharge_energy", "mWh", "Discharge energy", "放電エネルギー"),
    Named("specific_energy", "mWh/g", "Specific energy", "比エネルギー"),
    Named("specific_charge_energy", "mWh/g", "Specific charge energy", "充電比エネルギー"),
    Named("specific_discharge_energy", "mWh/g", "Specific discharge energy", "放電比エネルギー"),
    Named("power", "mW", "Power", "電力"),
    Named("coulombic_efficiency", "percent", "Coulombic efficiency", "クーロン効率"),
    Named("charge_capacitance", "uF", "Capacitance in charge", "充電静電容量"),
    Named("discharge_capacitance", "uF", "Capacitance in discharge", "放電静電容量"),
    Named("intercalation", "", "Fraction of intercalated ions x", "挿入量 x"),
    Named("internal_resistance", "mohm", "Internal resistance", "内部抵抗"),
    Named("ac_resistance", "mohm", "Resistance by alternating current", "交流抵抗"),
    Named("resistance", "ohm", "Resistance, voltage over current", "抵抗"),
    Named("uncompensated_resistance", "ohm", "Uncompensated resistance", "非補償抵抗"),
    Named("compensation_resistance", "ohm", "Compensated resistance", "補償抵抗"),
    Named("contact_resistance", "mohm", "Contact resistance", "接触抵抗"),
    Named("differential_capacity", "mAh/V", "Differential capacity dQ/dV", "微分容量 dQ/dV"),
    Named("differential_voltage", "V/mAh", "Differential voltage dV/dQ", "微分電圧 dV/dQ"),
    Named("voltage_rate", "V/s", "Rate of change of the voltage dV/dt", "電圧変化率 dV/dt"),
    Named("temperature", "degC", "Temperature", "温度"),
    Named("temperature_setpoint", "degC", "Temperature set point", "設定温度"),
    Named("humidity", "percent", "Relative humidity", "相対湿度"),
    Named("auxiliary_voltage", "V", "Auxiliary voltage", "補助電圧"),
    Named("auxiliary_current", "mA", "Auxiliary current", "補助電流"),
    Named("auxiliary", None, "Auxiliary channel", "補助チャンネル"),
    Named("step_change", None, "Step changed", "ステップ切替"),
    Named("control_change", None, "Control changed", "制御切替"),
    Named("counter_increment", None, "Counter went on", "カウンター増加"),
    Named("oxidation", None, "Oxidation, not reduction", "酸化（還元でない）"),
    Named("overload", None, "Overload", "過負荷"),
    Named("error", None, "Error", "エラー"),
    Named("module_switch", None, "Module switched", "モジュール切替"),
    Named("frequency", "Hz", "Frequency", "周波数"),
    Named("z_real", "ohm", "Re(Z)", "Re(Z)"),
    Named("z_imaginary", "ohm", "Im(Z), negative for a capacitor", "Im(Z)（容量性で負）"),
    Named("z_modulus", "ohm", "|Z|", "|Z|"),
    Named("z_phase", "deg", "Phase of Z, negative for a capacitor", "Zの位相（容量性で負）"),
    Named("z_signal", "V", "Signal of the impedance measurement", "インピーダンス測定信号"),
    *(
        Named(f"{part}_{of}", unit, f"{title} {over}", f"{title_ja}{over_ja}")
        for of, over, over_ja in (
            ("counter", "of the counter electrode", "（対極）"),
            ("cell", "between working and counter electrode", "（作用極・対極間）"),
        )
        for part, unit, title, title_ja in (
            ("z_real", "ohm", "Re(Z)", "Re(Z)"),
            ("z_imaginary", "ohm", "Im(Z)", "Im(Z)"),
            ("z_modulus", "ohm", "|Z|", "|Z|"),
            ("z_phase", "deg", "Phase of Z", "Zの位相"),
        )
    ),
    Named("voltage_amplitude", "V", "Voltage amplitude", "電圧振幅"),
    Named("counter_voltage_amplitude", "V", "Counter electrode's voltage amplitude", "対極電圧振幅"),
    Named("current_amplitude", "A", "Current amplitude", "電流振幅"),
)


def _technique(key: str, title: str, title_ja: str, short: str, *own: Condition, term: str = "") -> Technique:
    return Technique(key, title, title_ja, short, "electrochemical", (*_CELL, *own), _SIGNALS, term=term)


TECHNIQUES = (
    _technique("battery_cycling", "Battery cycling", "充放電試験", "Cycling", *_SPECTRUM_RANGE),
    _technique(
        "eis",
        "Electrochemical impedance spectroscopy",
        "電気化学インピーダンス測定",
        "EIS",
        *_IMPEDANCE,
    ),
    _technique(
        "cyclic_voltammetry",
        "Cyclic voltammetry",
        "サイクリックボルタンメトリー",
        "CV",
        *_SWEEP,
        term="CHMO:0000025",
    ),
    _technique(
        "linear_sweep_voltammetry",
        "Linear sweep voltammetry",
        "リニアスイープボルタンメトリー",
        "LSV",
        *_SWEEP,
        term="CHMO:0000028",
    ),
    _technique(
        "chronoamperometry",
        "Chronoamperometry",
        "クロノアンペロメトリー",
        "CA",
        *_PULSE,
        term="CHMO:0000005",
    ),
    _technique(
        "chronopotentiometry",
        "Chronopotentiometry",
        "クロノポテンショメトリー",
        "CP",
        *_PULSE,
        term="CHMO:0000017",
    ),
    _technique(
        "open_circuit_potential",
        "Open-circuit potential",
        "開回路電位測定",
        "OCP",
    ),
    _technique(
        "electrochemistry",
        "Electrochemical measurement",
        "電気化学測定",
        "Echem",
        *_SWEEP,
        *_PULSE,
    ),
)
