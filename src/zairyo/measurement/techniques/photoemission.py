"""Electrons out of a surface."""

from zairyo.measurement.techniques._base import Condition, Named, Technique

_CONDITIONS = (
    Condition(
        "excitation_energy",
        "eV",
        "Excitation energy",
        "励起エネルギー",
        "instrument/beam/incident_energy",
        main=True,
    ),
    Condition("excitation_source", None, "Excitation source", "励起源", "instrument/source/type", main=True),
    Condition("source_power", "W", "Source power", "線源出力", main=True),
    Condition(
        "pass_energy",
        "eV",
        "Pass energy",
        "パスエネルギー",
        "instrument/analyser/energydispersion/pass_energy",
        main=True,
    ),
    Condition("work_function", "eV", "Work function", "仕事関数"),
    Condition("energy_step", "eV", "Energy step", "エネルギーステップ", main=True),
    Condition("dwell_time", "s", "Dwell time", "滞留時間", main=True),
    Condition("take_off_angle", "deg", "Take-off angle", "取り出し角", main=True),
    Condition("analysed_region", None, "Region", "測定領域", main=True),
    Condition("lens_mode", None, "Lens mode", "レンズモード"),
    Condition("scan_mode", None, "Scan mode", "走査モード"),
    Condition("charge_neutraliser", None, "Charge neutraliser", "帯電中和"),
    Condition("etch_time", "s", "Sputter time", "スパッタ時間"),
)

_SIGNALS = (
    Named("binding_energy", "eV", "Binding energy", "結合エネルギー"),
    Named("kinetic_energy", "eV", "Kinetic energy", "運動エネルギー"),
    Named("intensity", "counts", "Intensity", "強度"),
    Named("transmission", "", "Transmission function", "透過関数"),
)

TECHNIQUES = (
    Technique(
        "xps",
        "X-ray photoelectron spectroscopy",
        "X線光電子分光",
        "XPS",
        "photoemission",
        _CONDITIONS,
        _SIGNALS,
        reversed_axes=("binding_energy",),
        definition="NXxps",
    ),
    Technique(
        "ups",
        "Ultraviolet photoelectron spectroscopy",
        "紫外光電子分光",
        "UPS",
        "photoemission",
        _CONDITIONS,
        _SIGNALS,
        reversed_axes=("binding_energy",),
    ),
    Technique(
        "aes",
        "Auger electron spectroscopy",
        "オージェ電子分光",
        "AES",
        "photoemission",
        _CONDITIONS,
        _SIGNALS,
    ),
)
