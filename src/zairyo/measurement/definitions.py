"""NeXus' application definitions, and where their required fields come from in our model.

A definition is what a program may rely on finding in a file. It is claimed (``definition`` in the NXentry) only if
every field it requires is there; otherwise what is there is filled in all the same, so that a person can add the
rest. A field is written where NeXus wants it from one *source*: a condition, a word for a condition, an array of
the entry, or what is true of every measurement of the technique. Most vendors' files do not say everything that a
definition requires (the monitor's counts, the scattering geometry); such a field has the source ``Unsaid``.

The definitions are those of the release :data:`VERSION` (NIAC and FAIRmat).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

VERSION = "2026.01"


@dataclass(frozen=True)
class Of:
    """A condition: a number in a unit of the vocabulary's dimension, or a text."""

    condition: str


@dataclass(frozen=True)
class Word:
    """A word of the definition for what texts say: the first pattern (any case) that is found in one of them.

    ``of`` are conditions, or ``instrument`` or ``signal`` for the measurement's model and the default signal.
    """

    of: tuple[str, ...]
    words: Mapping[str, str]


@dataclass(frozen=True)
class True_:
    """What is true of every measurement of the technique; only of those with the condition ``given``, if named."""

    value: str | bool
    given: str = ""


@dataclass(frozen=True)
class Array:
    """The first of these axes or signals that the entry has; the default signal if none is named.

    ``kinds`` are NumPy's kinds of the values that the definition allows; ``types`` is its attribute ``type`` for
    each of the names.
    """

    names: tuple[str, ...] = ()
    kinds: str = "iuf"
    types: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Uncertainty:
    """The default signal's uncertainty."""


@dataclass(frozen=True)
class Unmasked:
    """The signal ``mask``, or one that masks nothing."""


@dataclass(frozen=True)
class Count:
    """How many values an axis has."""

    axis: str


@dataclass(frozen=True)
class There:
    """What the file has in this place of itself, if the measurement says it: title, start, sample, operator."""


@dataclass(frozen=True)
class Group:
    """A group that need not hold anything."""


@dataclass(frozen=True)
class Unsaid:
    """No vendor's file says it in a way that could be relied on."""


Source = Of | Word | True_ | Array | Uncertainty | Unmasked | Count | There | Group | Unsaid


@dataclass(frozen=True)
class Field:
    """One field of a definition.

    Attributes
    ----------
    path
        Below the NXentry.
    source
        Where it comes from.
    optional
        It is filled in, but need not be there.
    beside
        It is required only where the group of this path is in the file.
    """

    path: str
    source: Source
    optional: bool = False
    beside: str = ""


@dataclass(frozen=True)
class Definition:
    """An application definition.

    Attributes
    ----------
    name
        ``NXxps`` …
    techniques
        Whose entries may fill it.
    fields
        What it requires, and what we fill in besides.
    url
        Written beside the claim where the definition asks for it.
    signal
        What it calls the default signal, if it insists: a further name for the same array.
    axes
        What it calls the NXdata's attribute that names the axes, if not ``axes``.
    custom
        Paths whose word is none of those that the definition lists; it allows others, if they are marked.
    data, entry
        Further attributes of the NXdata and of the NXentry that it asks for.
    classes
        The attribute ``canSAS_class`` of every group of a NeXus class.
    """

    name: str
    techniques: tuple[str, ...]
    fields: tuple[Field, ...]
    url: str = ""
    signal: str = ""
    axes: str = ""
    custom: tuple[str, ...] = ()
    data: Mapping[str, str] = field(default_factory=dict)
    entry: Mapping[str, str] = field(default_factory=dict)
    classes: Mapping[str, str] = field(default_factory=dict)


_TITLE = Field("title", There())
_START = Field("start_time", There())
_SAMPLE = Field("sample/name", There())
_OPERATOR = Field("user/name", There())

# --- photoemission -----------------------------------------------------------------------------------------------

_ANALYSER = "instrument/analyser"
#: Lens modes that image the angle or the place onto the detector, by the names SPECS and Scienta give them.
_COLUMN_SCHEMES = {
    r"angular ?dispersion|angle ?(resolved ?)?mode|^(angular|ang|a|da|wa)\d+": "angular dispersive",
    r"magnification": "spatial dispersive",
    r"momentum": "momentum dispersive",
}
#: Analysers that are hemispheres, by their names.
_HEMISPHERES = {
    r"phoibos|scienta|\b(R|EW|DA)\d{2,4}\b|versaprobe|quantera|quantes|axis (ultra|nova|supra)|escalab|k-alpha"
    r"|nexsa|hemispher": "hemispherical"
}
_ELECTRONS = (
    _TITLE,
    _START,
    Field("instrument/beam_probe/incident_energy", Of("excitation_energy")),
    Field(f"{_ANALYSER}/collectioncolumn/scheme", Word(("lens_mode",), _COLUMN_SCHEMES)),
    Field(f"{_ANALYSER}/energydispersion/scheme", Word(("analyser", "instrument"), _HEMISPHERES)),
    Field(f"{_ANALYSER}/electron_detector", Group()),
    _SAMPLE,
    Field("data/data", Array()),
    Field("data/data_errors", Uncertainty(), optional=True),
)
_ENERGIES = {"binding_energy": "binding", "kinetic_energy": "kinetic"}
_XPS = Definition(
    "NXxps",
    ("xps",),
    (
        *_ELECTRONS,
        Field("method", True_("X-ray photoelectron spectroscopy (XPS)")),
        Field(f"{_ANALYSER}/work_function", Of("work_function")),
        Field(
            f"{_ANALYSER}/energydispersion/energy_scan_mode",
            Word(
                ("analyser_mode", "scan_mode"),
                {
                    r"fixed ?analy[sz]er ?transmission|\bFAT\b": "fixed_analyzer_transmission",
                    r"fixed ?retard(ing|ation) ?ratio|\bFRR\b": "fixed_retardation_ratio",
                    r"snapshot": "snapshot",
                    r"fixed ?energ": "fixed_energy",
                },
            ),
        ),
        Field("data/energy", Array(tuple(_ENERGIES), types=_ENERGIES)),
    ),
    signal="data",
)
_MPES = Definition("NXmpes", ("xps", "ups", "arpes"), _ELECTRONS, signal="data")

# --- diffraction -------------------------------------------------------------------------------------------------

_POWDER = (
    _TITLE,
    _START,
    _SAMPLE,
    Field("sample/rotation_angle", Of("omega")),
    Field("instrument/source/name", Of("xray_tube")),
    Field(
        "instrument/source/type",
        Word(
            ("xray_tube",),
            {r"rotating": "Rotating Anode X-ray", r"sealed|LFF|fine focus": "Fixed Tube X-ray"},
        ),
    ),
    Field("instrument/crystal/wavelength", Unsaid()),
    Field("instrument/detector/polar_angle", Array(("two_theta",))),
    Field("instrument/detector/data", Array(kinds="iu")),
    Field("monitor/mode", True_("timer", given="time_per_step")),
    Field("monitor/preset", Of("time_per_step")),
    Field("monitor/integral", Unsaid()),
)
_X_RAYS = Field("instrument/source/probe", True_("x-ray"))
_MONOPD = Definition(
    "NXmonopd",
    ("xrd",),
    (
        *_POWDER,
        _X_RAYS,
        Field("data/polar_angle", Array(("two_theta",))),
        Field("data/data", Array(kinds="iu")),
    ),
    signal="data",
)
_NEUTRON_MONOPD = Definition(
    "NXmonopd",
    ("neutron_diffraction",),
    (
        *(f for f in _POWDER if not f.path.startswith("instrument/source")),
        Field("instrument/source/type", Unsaid()),
        Field("instrument/source/name", Unsaid()),
        Field("instrument/source/probe", True_("neutron")),
        Field("data/polar_angle", Array(("two_theta",))),
        Field("data/data", Array(kinds="iu")),
    ),
    signal="data",
)
_RESULT = "experiment_result"
_XRD_PAN = Definition(
    "NXxrd_pan",
    ("xrd",),
    (
        *(f for f in _POWDER if f.path not in ("sample/rotation_angle", "sample/name")),
        _X_RAYS,
        Field("method", True_("X-Ray Diffraction (XRD)")),
        Field("measurement_type", Of("measurement_type")),
        Field("instrument/source/xray_tube_material", Of("xray_source_element")),
        Field("instrument/source/xray_tube_current", Of("xray_tube_current")),
        Field("instrument/source/xray_tube_voltage", Of("xray_tube_voltage")),
        Field("instrument/source/k_alpha_one", Of("wavelength")),
        Field("instrument/source/k_alpha_two", Of("wavelength_k_alpha_2")),
        Field("instrument/source/ratio_k_alphatwo_k_alphaone", Of("k_alpha_ratio")),
        Field("instrument/beam/incident_energy", Unsaid()),
        Field("instrument/detector/scan_axis", Of("scan_axis")),
        Field("instrument/detector/scan_mode", Of("scan_mode")),
        Field(f"{_RESULT}/intensity", Array()),
        Field(f"{_RESULT}/data", Array()),
        Field(f"{_RESULT}/two_theta", Array(("two_theta",))),
        Field(f"{_RESULT}/polar_angle", Array(("two_theta",))),
    ),
)

# --- light -------------------------------------------------------------------------------------------------------

_MANUAL = "https://manual.nexusformat.org/classes"
_CHANNELS = {
    r"\b(em)?ccd\b|s?cmos|array|multichannel|\bfpa\b|focal plane|\d+ ?x ?\d+|streak|camera|\borca\b"
    r"|symphony|synapse|sincerity": "multichannel",
    r"\b(mct|d?l?a?tgs|pmt|insb|apd|si|ge|pbs|ingaas)\b|photomultiplier|photodiode|bolometer": "single-channel",
}
_BY_SIGNAL = {
    r"^(absorbance|transmittance|absorption_coefficient)$": "transmission spectroscopy",
    r"^(reflectance|log_inverse_reflectance|kubelka_munk)$": "reflection spectroscopy",
}
_LIGHT = (
    _SAMPLE,
    Field("instrument/beam_incident/parameter_reliability", True_("nominal")),
    Field("instrument/detector_light/detector_channel_type", Word(("detector",), _CHANNELS)),
)


def _optical(experiment: Source, *techniques: str, custom: bool = False) -> Definition:
    return Definition(
        "NXoptical_spectroscopy",
        techniques,
        (Field("experiment_type", experiment), *_LIGHT),
        url=f"{_MANUAL}/applications/NXoptical_spectroscopy.html",
        custom=("experiment_type",) if custom else (),
    )


_RAMAN = Definition(
    "NXraman",
    ("raman",),
    (
        Field("experiment_type", True_("Raman spectroscopy")),
        *_LIGHT,
        Field("raman_experiment_type", Unsaid()),
        Field("instrument/scattering_configuration", Unsaid()),
        Field("instrument/beam_incident/wavelength", Of("laser_wavelength")),
    ),
    url=f"{_MANUAL}/applications/NXraman.html",
)
_ELLIPSOMETRY = Definition(
    "NXellipsometry",
    ("ellipsometry",),
    (
        Field("experiment_type", True_("ellipsometry")),
        *_LIGHT,
        Field("ellipsometry_experiment_type", Unsaid()),
        Field("instrument/ellipsometer_type", Unsaid()),
        Field("instrument/rotating_element/rotating_element_type", Unsaid()),
    ),
    url=f"{_MANUAL}/applications/NXellipsometry.html",
)

# --- scattering --------------------------------------------------------------------------------------------------

_CANSAS = Definition(
    "NXcanSAS",
    ("saxs", "sans", "sas"),
    (
        _TITLE,
        Field("run", Of("run")),
        Field("data/Q", Array(("q",))),
        Field("data/I", Array()),
        Field("data/Mask", Unmasked()),
        Field("data/Idev", Uncertainty(), optional=True),
        Field("data/I_errors", Uncertainty(), optional=True),
        Field("data/Qdev", Array(("q_resolution",)), optional=True),
        Field("data/Qmean", Array(("q_mean",)), optional=True),
        Field("data/ShadowFactor", Array(("shadow_factor",)), optional=True),
        Field("sample/name", There(), beside="sample"),
        Field("instrument/detector/name", Of("detector"), beside="instrument/detector"),
    ),
    signal="I",
    axes="I_axes",
    data={"mask": "Mask"},
    entry={"canSAS_class": "SASentry", "version": "1.1"},
    classes={
        "NXdata": "SASdata",
        "NXinstrument": "SASinstrument",
        "NXsource": "SASsource",
        "NXdetector": "SASdetector",
        "NXsample": "SASsample",
        "NXprocess": "SASprocess",
        "NXcollection": "SASnote",
    },
)

# --- microscopes -------------------------------------------------------------------------------------------------

_EM = Definition(
    "NXem",
    (
        "sem", "tem", "stem", "stem_4d", "fib", "electron_diffraction", "ebsd", "eds", "eels", "wds",
        "cathodoluminescence",
    ),
    (
        _START,
        Field("sample/is_simulation", True_(False)),
        Field("sample/preparation_date", Unsaid()),
        Field("sample/atom_types", Of("elements")),
    ),
)  # fmt: skip
_CONTROL = "instrument/scan_environment/scan_control"
_MAKERS = (
    _OPERATOR,
    Field("instrument/hardware/vendor", Unsaid()),
    Field("instrument/software/vendor", Unsaid()),
)
_POINTS = (
    Field(f"{_CONTROL}/scan_region", Group()),
    Field(f"{_CONTROL}/mesh_scan/scan_points_x", Count("x")),
    Field(f"{_CONTROL}/mesh_scan/scan_points_y", Count("y")),
)
_STM = Definition(
    "NXstm",
    ("stm",),
    (
        *_MAKERS,
        *_POINTS,
        Field("experiment_technique", True_("STM")),
        Field(
            "scan_mode",
            Word(("imaging_mode",), {r"current": "constant current", r"height": "constant height"}),
        ),
        Field("instrument/lockin_amplifier", Unsaid()),
    ),
)
_AFM = Definition(
    "NXafm",
    ("afm",),
    (
        *_MAKERS,
        *_POINTS[:1],
        Field("experiment_technique", True_("AFM")),
        Field(
            "scan_mode",
            Word(
                ("imaging_mode",),
                {
                    r"non.?contact": "non-contact mode",
                    r"peak.?force": "peak force tapping mode",
                    r"tapping|\bAC\b|intermittent": "tapping mode",
                    r"contact": "contact mode",
                },
            ),
        ),
    ),
)

#: Of one technique, the most particular first: the first that is complete is claimed.
DEFINITIONS: tuple[Definition, ...] = (
    _XPS,
    _MPES,
    _MONOPD,
    _NEUTRON_MONOPD,
    _XRD_PAN,
    _RAMAN,
    _ELLIPSOMETRY,
    _optical(True_("Raman spectroscopy"), "raman", custom=True),
    _optical(True_("ellipsometry"), "ellipsometry", custom=True),
    _optical(True_("photoluminescence"), "photoluminescence"),
    _optical(True_("fluorescence spectroscopy"), "fluorescence", custom=True),
    _optical(Word(("signal",), _BY_SIGNAL), "ir", "uv_vis", "optical_spectroscopy"),
    _CANSAS,
    _EM,
    _STM,
    _AFM,
)


def definitions(technique: str) -> tuple[Definition, ...]:
    """Those that an entry of the technique may fill, the most particular first."""
    return _BY_TECHNIQUE.get(technique, ())


_BY_TECHNIQUE = {
    technique: tuple(d for d in DEFINITIONS if technique in d.techniques)
    for technique in {t for d in DEFINITIONS for t in d.techniques}
}
