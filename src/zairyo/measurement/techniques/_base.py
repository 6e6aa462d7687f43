"""How a technique is declared. The declarations are data: one module a family beside this one."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Condition:
    """One condition's name, the same from every vendor.

    Attributes
    ----------
    name
        E.g. ``xray_tube_voltage``.
    unit
        The unit it is usually shown in, as Pint spells it; None for text or truth values. A value in another
        unit of the same dimension is right too.
    title, title_ja
        For people.
    nexus
        Path below the NXentry, e.g. ``instrument/source/voltage``; empty if NeXus has none.
    main
        Among the about eight shown first beside the plot.
    """

    name: str
    unit: str | None
    title: str
    title_ja: str
    nexus: str = ""
    main: bool = False


@dataclass(frozen=True)
class Named:
    """A signal's or an axis' name in a technique, with its usual unit."""

    name: str
    unit: str | None
    title: str
    title_ja: str


@dataclass(frozen=True)
class Technique:
    """One way of measuring.

    Attributes
    ----------
    key
        ``xrd`` …; what ``Entry.technique`` holds.
    title, title_ja, short
        For people; ``short`` is what a facet or a chip says ("XRD").
    family
        The module's name; groups techniques in menus and colours.
    conditions, signals
        The vocabulary. ``signals`` names axes and table columns too.
    monotonic
        Axes that must be strictly monotonic; a file where they are not is refused.
    reversed_axes
        Axes that the field draws from high to low (binding energy, wavenumber), and signals that it draws upside
        down: of an impedance −Im(Z) points up.
    term
        The technique in the Chemical Methods Ontology, e.g. ``CHMO:0000156``, or empty. Written beside the
        technique in NeXus files.
    """

    key: str
    title: str
    title_ja: str
    short: str
    family: str
    conditions: tuple[Condition, ...] = ()
    signals: tuple[Named, ...] = ()
    monotonic: tuple[str, ...] = ()
    reversed_axes: tuple[str, ...] = ()
    term: str = ""


#: Conditions that any technique may have.
COMMON: tuple[Condition, ...] = (
    Condition("temperature", "degC", "Temperature", "温度", "sample/temperature", main=True),
    Condition("pressure", "Pa", "Pressure", "圧力", "sample/pressure"),
    Condition("humidity", "percent", "Relative humidity", "相対湿度"),
    Condition("atmosphere", None, "Atmosphere", "雰囲気", "sample/situation"),
    Condition("sample_mass", "mg", "Sample mass", "試料質量", "sample/mass", main=True),
    Condition("sample_volume", "mm**3", "Sample volume", "試料体積", "sample/volume"),
    Condition("sample_thickness", "mm", "Sample thickness", "試料厚さ", "sample/thickness"),
    # NXentry has a duration too, but of whole seconds.
    Condition("duration", "s", "Duration", "測定時間", main=True),
    Condition("software", None, "Software", "ソフトウェア", "program_name"),
    Condition("software_version", None, "Software version", "ソフトウェアの版"),
    Condition("instrument_serial", None, "Instrument serial number", "装置シリアル番号"),
    Condition("repetitions", "", "Repetitions", "積算回数", main=True),
    Condition("comment", None, "Comment", "コメント"),
)
