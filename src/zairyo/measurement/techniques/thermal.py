"""Heat, mass and length against temperature or time."""

from zairyo.measurement.techniques._base import Condition, Named, Technique

_CONDITIONS = (
    Condition("heating_rate", "K/min", "Heating rate", "昇温速度", main=True),
    Condition("temperature_start", "degC", "Start temperature", "開始温度", main=True),
    Condition("temperature_end", "degC", "End temperature", "終了温度", main=True),
    Condition("purge_gas", None, "Purge gas", "パージガス", main=True),
    Condition("purge_gas_flow", "ml/min", "Purge gas flow", "パージガス流量", main=True),
    Condition("protective_gas", None, "Protective gas", "保護ガス"),
    Condition("protective_gas_flow", "ml/min", "Protective gas flow", "保護ガス流量"),
    Condition("purge_gas_2", None, "Second purge gas", "パージガス2"),
    Condition("purge_gas_2_flow", "ml/min", "Second purge gas flow", "パージガス2流量"),
    Condition("crucible", None, "Crucible", "るつぼ", main=True),
    Condition("crucible_mass", "mg", "Crucible mass", "るつぼ質量"),
    Condition("reference_mass", "mg", "Reference mass", "参照質量"),
    Condition("sample_carrier", None, "Sample carrier", "試料ホルダー"),
    Condition("furnace", None, "Furnace", "炉"),
    Condition("correction_file", None, "Correction file", "補正ファイル"),
    Condition("sample_length", "mm", "Sample length", "試料長さ", main=True),
    Condition("sample_diameter", "mm", "Sample diameter", "試料直径"),
    Condition("force", "N", "Force on the sample", "試料荷重"),
    Condition("method", None, "Method", "測定方法"),
    Condition("step", None, "Step of the method", "測定ステップ"),
    Condition("channel", "", "Channel", "チャンネル"),
)

_SIGNALS = (
    Named("index", "", "Record", "レコード"),
    Named("time", "s", "Time", "時間"),
    Named("temperature", "degC", "Sample temperature", "試料温度"),
    Named("furnace_temperature", "degC", "Furnace temperature", "炉温度"),
    Named("reference_temperature", "degC", "Reference temperature", "参照温度"),
    Named("program_temperature", "degC", "Programme temperature", "プログラム温度"),
    Named("mass", "mg", "Mass", "質量"),
    Named("mass_change", "mg", "Mass change", "質量変化"),
    Named("relative_mass", "percent", "Relative mass", "相対質量"),
    Named("mass_loss_rate", "percent/min", "Mass-loss rate (DTG)", "質量減少速度 (DTG)"),
    Named("heat_flow", "mW", "Heat flow", "熱流"),
    Named("specific_heat_flow", "W/g", "Heat flow per mass", "質量当たり熱流"),
    Named("dsc_signal", "uV", "DSC signal", "DSC信号"),
    Named("dsc_signal_per_mass", "uV/mg", "DSC signal per mass", "質量当たりDSC信号"),
    Named("heating_rate", "K/min", "Heating rate", "昇温速度"),
    Named("length_change", "um", "Length change", "長さ変化"),
    Named("purge_gas_flow", "ml/min", "Purge gas flow", "パージガス流量"),
    Named("length_change_2", "um", "Length change, second sensor", "長さ変化（第2センサー）"),
    Named("force", "N", "Force", "荷重"),
    Named("force_setpoint", "N", "Force set point", "設定荷重"),
    Named("purge_gas_2_flow", "ml/min", "Second purge gas flow", "パージガス2流量"),
    Named("protective_gas_flow", "ml/min", "Protective gas flow", "保護ガス流量"),
    Named("furnace_power", "percent", "Furnace power", "炉出力"),
    Named("cooling_power", "percent", "Cooling power", "冷却出力"),
    Named("baseline_heat_flow", "mW", "Baseline heat flow", "ベースライン熱流"),
    Named("unsubtracted_heat_flow", "mW", "Unsubtracted heat flow", "補正前熱流"),
    Named("uncorrected_heat_flow", "mW", "Uncorrected heat flow", "未補正熱流"),
    Named("temperature_difference", "K", "Temperature difference", "温度差"),
    Named("ambient_temperature", "degC", "Ambient temperature", "周囲温度"),
    Named("baseline_mass", "mg", "Baseline mass", "ベースライン質量"),
    Named("reversing_heat_flow", "W/g", "Reversing heat flow", "可逆熱流"),
    Named("nonreversing_heat_flow", "W/g", "Non-reversing heat flow", "不可逆熱流"),
    Named("specific_heat_capacity", "J/(g*K)", "Specific heat capacity", "比熱容量"),
    Named("heat", "J", "Heat", "熱量"),
    Named("specific_heat", "J/g", "Heat per mass", "質量当たり熱量"),
    Named("time_marker", None, "Time marker", "時刻マーク"),
    Named("segment", "", "Segment", "区間"),
    Named("partial_pressure", "mbar", "Partial pressure", "分圧"),
    Named("ion_current", "A", "Ion current", "イオン電流"),
    Named("strain", "percent", "Strain", "ひずみ"),
)


def _technique(key: str, title: str, title_ja: str, short: str, term: str = "") -> Technique:
    return Technique(key, title, title_ja, short, "thermal", _CONDITIONS, _SIGNALS, term=term)


TECHNIQUES = (
    _technique("tga", "Thermogravimetry", "熱重量測定", "TGA", "CHMO:0000690"),
    _technique("dsc", "Differential scanning calorimetry", "示差走査熱量測定", "DSC", "CHMO:0000684"),
    _technique("sta", "Simultaneous thermal analysis", "同時熱分析", "STA"),
    _technique("dilatometry", "Dilatometry", "熱膨張測定", "DIL"),
    _technique("laser_flash", "Laser flash analysis", "レーザーフラッシュ法", "LFA"),
    _technique("dta", "Differential thermal analysis", "示差熱分析", "DTA"),
    _technique("tma", "Thermomechanical analysis", "熱機械分析", "TMA"),
    _technique("isothermal_calorimetry", "Isothermal calorimetry", "等温熱量測定", "Calorimetry"),
    _technique("evolved_gas_ms", "Evolved gas analysis (TG-MS)", "発生気体分析（TG-MS）", "TG-MS"),
)
