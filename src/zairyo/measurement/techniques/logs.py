"""Logs of sensors and of electrical networks beside an experiment."""

from zairyo.measurement.techniques._base import Condition, Named, Technique

_LOG_CONDITIONS = (
    Condition("sampling_interval", "s", "Sampling interval", "サンプリング間隔", main=True),
    Condition("channels", "", "Channels", "チャンネル数", main=True),
    Condition("project", None, "Project", "プロジェクト"),
)

_LOG_SIGNALS = (
    Named("time", "s", "Time", "時間"),
    Named("timestamp", None, "Date and time", "日時"),
    Named("index", "", "Sample number", "サンプル番号"),
    Named("temperature", "degC", "Temperature", "温度"),
    Named("voltage", "V", "Voltage", "電圧"),
    Named("current", "A", "Current", "電流"),
    Named("pressure", "Pa", "Pressure", "圧力"),
    Named("gas_fraction_measured", "percent", "Gas fraction (measured)", "ガス分率（実測）"),
)

_NETWORK_CONDITIONS = (
    Condition("ports", "", "Ports", "ポート数", main=True),
    Condition("reference_impedance", "ohm", "Reference impedance", "基準インピーダンス", main=True),
    Condition("frequency_start", "Hz", "Start frequency", "開始周波数", main=True),
    Condition("frequency_end", "Hz", "End frequency", "終了周波数", main=True),
)

_NETWORK_SIGNALS = (
    Named("frequency", "Hz", "Frequency", "周波数"),
    Named("s11", "", "S11", "S11"),
    Named("s11_magnitude", "dB", "|S11|", "|S11|"),
    Named("s21", "", "S21", "S21"),
    Named("s21_magnitude", "dB", "|S21|", "|S21|"),
    Named("s12", "", "S12", "S12"),
    Named("s12_magnitude", "dB", "|S12|", "|S12|"),
    Named("s22", "", "S22", "S22"),
    Named("s22_magnitude", "dB", "|S22|", "|S22|"),
    Named("noise_figure_minimum", "dB", "Minimum noise figure", "最小雑音指数"),
    Named("noise_reflection", "", "Optimum source reflection", "最適信号源反射係数"),
    Named("noise_resistance", "ohm", "Noise resistance", "雑音抵抗"),
)

_FLOW_CONDITIONS = (
    Condition("gas", None, "Gas", "ガス", main=True),
    Condition("readings", "", "Readings", "測定数", main=True),
)

_FLOW_SIGNALS = (
    Named("time", "s", "Time", "時間"),
    Named("index", "", "Reading", "測定番号"),
    Named("flow", "ml/min", "Flow", "流量"),
    Named("flow_average", "ml/min", "Average flow", "平均流量"),
    Named("temperature", "degC", "Temperature", "温度"),
    Named("pressure", "mbar", "Pressure", "圧力"),
)

TECHNIQUES: tuple[Technique, ...] = (
    Technique("data_log", "Data log", "データロガー記録", "Log", "logs", _LOG_CONDITIONS, _LOG_SIGNALS),
    Technique(
        "network_analysis",
        "Network analysis (S-parameters)",
        "ネットワーク解析（Sパラメータ）",
        "VNA",
        "logs",
        _NETWORK_CONDITIONS,
        _NETWORK_SIGNALS,
        monotonic=("frequency",),
    ),
    Technique("flow", "Gas flow measurement", "流量測定", "Flow", "logs", _FLOW_CONDITIONS, _FLOW_SIGNALS),
)
