"""The grammar of ISO 14976 (VAMAS): lines in a fixed order, some of them there only for some modes.

Source: W. A. Dench, L. B. Hazell, M. P. Seah, Surf. Interface Anal. 13 (1988) 63-122; ISO 14976:1998.
Nothing here knows about the standard form; ``vamas`` turns these blocks into entries.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zairyo.readers._api import ReadError

MAGIC = "VAMAS Surface Chemical Analysis Standard Data Transfer Format"
TERMINATOR = "end of experiment"
#: The standard's "not available" is 1E37, which some programs round.
NOT_GIVEN = 9.9e36

_MODES = frozenset({"MAP", "MAPDP", "MAPSV", "MAPSVDP", "NORM", "SDP", "SDPSV", "SEM", "NOEXP"})
_SCAN_MODES = frozenset({"REGULAR", "IRREGULAR", "MAPPING"})
_SPECTRAL = frozenset({"MAP", "MAPDP", "NORM", "SDP"})
_POSITIONED = frozenset({"MAP", "MAPDP"})
_PROFILED = frozenset({"MAPDP", "MAPSVDP", "SDP", "SDPSV"})
_IMAGED = frozenset({"MAPSV", "MAPSVDP", "SEM"})
_SPUTTERED_BY_ANALYSIS = frozenset(
    {"fabms", "fabms energy spec", "iss", "sims", "sims energy spec", "snms", "snms energy spec"}
)
_SPUTTERED_BESIDES = frozenset({"aes diff", "aes dir", "edx", "els", "ups", "xps", "xrf"})
_ODD_NUMBERS = {
    "1.#qnan": "nan",
    "-1.#qnan": "nan",
    "1.#ind": "nan",
    "-1.#ind": "nan",
    "1.#inf": "inf",
    "-1.#inf": "-inf",
}


def _is_always(header: Header, technique: str) -> bool:
    return True


def _is_positioned(header: Header, technique: str) -> bool:
    return header.mode in _POSITIONED


def _has_sputtering_ion(header: Header, technique: str) -> bool:
    return header.mode in _PROFILED or technique in _SPUTTERED_BY_ANALYSIS


def _has_field_of_view(header: Header, technique: str) -> bool:
    return header.mode in _POSITIONED or header.mode in _IMAGED


def _is_image(header: Header, technique: str) -> bool:
    return header.mode in _IMAGED


def _is_differential(header: Header, technique: str) -> bool:
    return technique == "aes diff"


def _is_regular(header: Header, technique: str) -> bool:
    return header.scan_mode == "REGULAR"


def _has_sputtering_source(header: Header, technique: str) -> bool:
    return header.mode in _PROFILED and technique in _SPUTTERED_BESIDES


# What a block holds, in its order: the standard's prefix number (by which a file may leave a parameter out of
# all blocks but the first), whether it is there at all, and its lines: a name, and t(ext) or n(umber); the
# four parameters that are lists have a method of ``_Cursor`` instead.
_TIME = ("year", "month", "day", "hours", "minutes", "seconds", "hours_in_advance_of_gmt")
_BLOCK: tuple[tuple[int, Any, Any], ...] = (
    *((prefix, _is_always, ((name, "n"),)) for prefix, name in enumerate(_TIME, 1)),
    (8, _is_always, "comment"),
    (9, _is_always, (("technique", "t"),)),
    (10, _is_positioned, (("x_coordinate", "n"), ("y_coordinate", "n"))),
    (11, _is_always, "experimental_variables"),
    (12, _is_always, (("analysis_source_label", "t"),)),
    (
        13,
        _has_sputtering_ion,
        (
            ("sputtering_ion_or_atom_atomic_number", "n"),
            ("number_of_atoms_in_sputtering_ion_or_atom_particle", "n"),
            ("sputtering_ion_or_atom_charge_sign_and_number", "n"),
        ),
    ),
    (14, _is_always, (("analysis_source_characteristic_energy", "n"),)),
    (15, _is_always, (("analysis_source_strength", "n"),)),
    (16, _is_always, (("analysis_source_beam_width_x", "n"), ("analysis_source_beam_width_y", "n"))),
    (17, _has_field_of_view, (("field_of_view_x", "n"), ("field_of_view_y", "n"))),
    (
        18,
        _is_image,
        (
            ("first_linescan_start_x_coordinate", "n"),
            ("first_linescan_start_y_coordinate", "n"),
            ("first_linescan_finish_x_coordinate", "n"),
            ("first_linescan_finish_y_coordinate", "n"),
            ("last_linescan_finish_x_coordinate", "n"),
            ("last_linescan_finish_y_coordinate", "n"),
        ),
    ),
    (19, _is_always, (("analysis_source_polar_angle_of_incidence", "n"),)),
    (20, _is_always, (("analysis_source_azimuth", "n"),)),
    (21, _is_always, (("analyser_mode", "t"),)),
    (22, _is_always, (("analyser_pass_energy_or_retard_ratio_or_mass_resolution", "n"),)),
    (23, _is_differential, (("differential_width", "n"),)),
    (24, _is_always, (("magnification_of_analyser_transfer_lens", "n"),)),
    (25, _is_always, (("analyser_work_function_or_acceptance_energy_of_atom_or_ion", "n"),)),
    (26, _is_always, (("target_bias", "n"),)),
    (27, _is_always, (("analysis_width_x", "n"), ("analysis_width_y", "n"))),
    (
        28,
        _is_always,
        (("analyser_axis_take_off_polar_angle", "n"), ("analyser_axis_take_off_azimuth", "n")),
    ),
    (29, _is_always, (("species_label", "t"),)),
    (30, _is_always, (("transition_or_charge_state_label", "t"), ("charge_of_detected_particle", "n"))),
    (
        31,
        _is_regular,
        (
            ("abscissa_label", "t"),
            ("abscissa_units", "t"),
            ("abscissa_start", "n"),
            ("abscissa_increment", "n"),
        ),
    ),
    (32, _is_always, "corresponding_variables"),
    (33, _is_always, (("signal_mode", "t"),)),
    (34, _is_always, (("signal_collection_time", "n"),)),
    (35, _is_always, (("number_of_scans_to_compile_this_block", "n"),)),
    (36, _is_always, (("signal_time_correction", "n"),)),
    (
        37,
        _has_sputtering_source,
        (
            ("sputtering_source_energy", "n"),
            ("sputtering_source_beam_current", "n"),
            ("sputtering_source_width_x", "n"),
            ("sputtering_source_width_y", "n"),
            ("sputtering_source_polar_angle_of_incidence", "n"),
            ("sputtering_source_azimuth", "n"),
            ("sputtering_mode", "t"),
        ),
    ),
    (
        38,
        _is_always,
        (("sample_normal_polar_angle_of_tilt", "n"), ("sample_normal_tilt_azimuth", "n")),
    ),
    (39, _is_always, (("sample_rotation_angle", "n"),)),
    (40, _is_always, "additional_numerical_parameters"),
)


@dataclass(frozen=True)
class Header:
    """The experiment's header; ``fields`` is all of it, verbatim, by the standard's names."""

    mode: str
    scan_mode: str
    variables: tuple[tuple[str, str], ...]
    fields: dict[str, Any]


@dataclass(frozen=True)
class Block:
    """One block: ``fields`` by the standard's names, ``values`` of shape (points, corresponding variables)."""

    number: int
    fields: dict[str, Any]
    values: NDArray[np.float64]

    def text(self, name: str) -> str:
        """A text, empty where the file gives none or says that it is not specified."""
        value = str(self.fields.get(name, "")).strip()
        return "" if value.casefold() in ("not specified", "none", "n/a", "-") else value

    def number_of(self, name: str) -> float | None:
        """A number, or None where the file has none, an odd token or the standard's 1E37."""
        value = self.fields.get(name)
        if isinstance(value, (int, float)) and abs(value) < NOT_GIVEN and value == value:
            return float(value)
        return None


@dataclass
class _Cursor:
    lines: list[str]
    at: int = 0
    warnings: list[str] = field(default_factory=list)

    def text(self, what: str) -> str:
        if self.at >= len(self.lines):
            raise ReadError(
                f"the file ends after line {len(self.lines)}, where {what} should follow: it is cut off. "
                "Copy it again from the instrument."
            )
        self.at += 1
        return self.lines[self.at - 1].strip()

    def count(self, what: str, least: int = 0) -> int:
        """A number that says how many lines follow; it cannot be odd, the rest depends on it."""
        text = self.text(what)
        try:
            value = int(text) if text.lstrip("+-").isdigit() else int(float(text))
        except (ValueError, OverflowError):
            raise ReadError(
                f"line {self.at}: {what} should be a whole number, but is {text[:40]!r}"
            ) from None
        if value < least or abs(value) > len(self.lines):
            raise ReadError(
                f"line {self.at}: {what} is {value}, which a file of {len(self.lines)} lines cannot hold. "
                "It is cut off or damaged; copy it again from the instrument."
            )
        return value

    def number(self, what: str) -> float | int | str:
        """A number; an odd token is kept as text, with a warning."""
        text = self.text(what)
        try:
            return int(text)
        except ValueError:
            pass
        try:
            return float(_ODD_NUMBERS.get(text.casefold(), text.replace(",", ".")))
        except ValueError:
            self.warnings.append(
                f"line {self.at}: {what} should be a number; {text[:40]!r} was kept as it is."
            )
            return text

    def texts(self, what: str, how_many: int) -> list[str]:
        return [self.text(what) for _ in range(how_many)]

    def labelled(self, what: str, how_many: int) -> list[dict[str, Any]]:
        return [
            {"label": self.text(f"label of {what}"), "units": self.text(f"units of {what}")}
            for _ in range(how_many)
        ]

    def comment(self, header: Header) -> dict[str, Any]:
        return {"comment": self.texts("block comment", self.count("number of lines in block comment"))}

    def experimental_variables(self, header: Header) -> dict[str, Any]:
        values = [self.number(f"value of experimental variable {label!r}") for label, _ in header.variables]
        return {"experimental_variable_values": values}

    def corresponding_variables(self, header: Header) -> dict[str, Any]:
        count = self.count("number of corresponding variables", least=1)
        return {"corresponding_variables": self.labelled("corresponding variable", count)}

    def additional_numerical_parameters(self, header: Header) -> dict[str, Any]:
        parameters = []
        for _ in range(self.count("number of additional numerical parameters")):
            (parameter,) = self.labelled("additional numerical parameter", 1)
            parameter["value"] = self.number(f"additional numerical parameter {parameter['label']!r}")
            parameters.append(parameter)
        return {"additional_numerical_parameters": parameters}

    def floats(self, how_many: int, what: str) -> NDArray[np.float64]:
        rows = self.lines[self.at : self.at + how_many]
        if len(rows) < how_many:
            raise ReadError(
                f"{what}: {how_many} values should follow line {self.at}, but only {len(rows)} lines do; the file is "
                "cut off. Copy it again from the instrument."
            )
        try:
            values = np.array(rows, dtype=np.float64) if rows else np.empty(0)
        except ValueError:
            values = np.array(list(self._mended(rows, what)), dtype=np.float64)
        self.at += how_many
        return values

    def _mended(self, rows: Iterable[str], what: str) -> Iterable[float]:
        for offset, row in enumerate(rows, 1):
            text = row.strip()
            try:
                yield float(_ODD_NUMBERS.get(text.casefold(), text.replace(",", ".")))
            except ValueError:
                raise ReadError(
                    f"line {self.at + offset}: {what} should be a number, but is {text[:40]!r}; "
                    "the file is damaged or cut off"
                ) from None


def read_vamas(text: str) -> tuple[Header, list[Block], list[str]]:
    """Parse a whole file.

    Returns
    -------
    header, blocks, warnings

    Raises
    ------
    ReadError
        Naming the line, if the file is not VAMAS, is cut off or is damaged.
    """
    cursor = _Cursor(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"))
    header = _read_header(cursor)
    included = _included(header, cursor)
    blocks: list[Block] = []
    for number in range(1, header.fields["number_of_blocks"] + 1):
        first = blocks[0].fields if blocks else None
        if blocks and _is_at_end(cursor):
            cursor.warnings.append(
                f"The file announces {header.fields['number_of_blocks']} blocks and ends after {len(blocks)}; some "
                "may have been deleted."
            )
            break
        blocks.append(_read_block(cursor, header, number, first, included))
    _check_end(cursor, ends_with_line=text.endswith(("\n", "\r")))
    return header, blocks, cursor.warnings


def _is_at_end(cursor: _Cursor) -> bool:
    """Whether nothing but the terminator follows, where a block should."""
    rest = [text for line in cursor.lines[cursor.at : cursor.at + 20] if (text := line.strip())]
    return [text.casefold() for text in rest] == [TERMINATOR]


def _check_end(cursor: _Cursor, ends_with_line: bool) -> None:
    rest = [line.strip() for line in cursor.lines[cursor.at :]]
    if any(line.casefold() == TERMINATOR for line in rest):
        return
    if not ends_with_line and not any(rest):
        raise ReadError(
            f"the file ends in the middle of line {len(cursor.lines)}, without {TERMINATOR!r}: its last number may be "
            "cut off. Copy it again from the instrument."
        )
    cursor.warnings.append(f"The file does not end with {TERMINATOR!r}; all announced blocks were there.")


def _read_header(cursor: _Cursor) -> Header:
    first = cursor.text("the format identifier")
    if not first.casefold().startswith(MAGIC.casefold()):
        raise ReadError(f"line 1: this is not a VAMAS file; it begins with {first[:60]!r}")
    fields: dict[str, Any] = {"format_identifier": first}
    for name in ("institution", "instrument_model", "operator", "experiment"):
        fields[f"{name}_identifier"] = cursor.text(f"{name} identifier")
    fields["comment"] = cursor.texts("comment", cursor.count("number of lines in comment"))
    mode = fields["experiment_mode"] = cursor.text("experiment mode").upper()
    if mode not in _MODES:
        raise ReadError(
            f"line {cursor.at}: {mode[:40]!r} is no experiment mode of ISO 14976 ({', '.join(sorted(_MODES))})"
        )
    scan_mode = fields["scan_mode"] = cursor.text("scan mode").upper()
    if scan_mode not in _SCAN_MODES:
        raise ReadError(
            f"line {cursor.at}: {scan_mode[:40]!r} is no scan mode of ISO 14976 ({', '.join(sorted(_SCAN_MODES))})"
        )
    if mode in _SPECTRAL:
        fields["number_of_spectral_regions"] = cursor.number("number of spectral regions")
    if mode in _POSITIONED:
        fields["number_of_analysis_positions"] = cursor.number("number of analysis positions")
        for axis in "xy":
            name = f"number_of_discrete_{axis}_coordinates_available_in_full_map"
            fields[name] = cursor.number(name.replace("_", " "))
    variables = cursor.labelled("experimental variable", cursor.count("number of experimental variables"))
    fields["experimental_variables"] = variables
    listed = cursor.count("number of entries in parameter inclusion or exclusion list", least=-40)
    fields["parameter_list_is_exclusion"] = listed < 0
    fields["parameter_inclusion_or_exclusion_list"] = [
        cursor.count("parameter prefix number") for _ in range(abs(listed))
    ]
    manual = cursor.count("number of manually entered items in block")
    fields["prefix_numbers_of_manually_entered_items"] = cursor.texts("prefix number", manual)
    upgrades = cursor.count("number of future upgrade experiment entries")
    fields["number_of_future_upgrade_block_entries"] = cursor.count("number of future upgrade block entries")
    fields["future_upgrade_experiment_entries"] = cursor.texts("future upgrade experiment entry", upgrades)
    fields["number_of_blocks"] = cursor.count("number of blocks")
    return Header(mode, scan_mode, tuple((v["label"], v["units"]) for v in variables), fields)


def _included(header: Header, cursor: _Cursor) -> frozenset[int]:
    """Prefix numbers of the parameters that every block after the first gives itself."""
    everything = frozenset(range(1, 41))
    listed = frozenset(header.fields["parameter_inclusion_or_exclusion_list"])
    if not listed <= everything:
        raise ReadError(
            f"line {cursor.at}: the parameter list names {sorted(listed - everything)}; ISO 14976 numbers them 1 … 40"
        )
    if not listed:
        return everything
    return everything - listed if header.fields["parameter_list_is_exclusion"] else listed


def _read_block(
    cursor: _Cursor, header: Header, number: int, first: dict[str, Any] | None, included: frozenset[int]
) -> Block:
    fields: dict[str, Any] = {
        "block_identifier": cursor.text(f"identifier of block {number}"),
        "sample_identifier": cursor.text(f"sample identifier of block {number}"),
    }
    for prefix, is_there, lines in _BLOCK:
        if not is_there(header, str(fields.get("technique", "")).casefold()):
            continue
        if first is not None and prefix not in included:
            _repeat(fields, first, lines)
        elif isinstance(lines, str):
            fields |= getattr(cursor, lines)(header)
        else:
            for name, kind in lines:
                what = f"{name.replace('_', ' ')} of block {number}"
                fields[name] = cursor.text(what) if kind == "t" else cursor.number(what)
    fields["future_upgrade_block_entries"] = cursor.texts(
        "future upgrade block entry", header.fields["number_of_future_upgrade_block_entries"]
    )
    return Block(number, fields, _read_ordinates(cursor, fields, number))


_LISTS = {"comment": "comment", "experimental_variables": "experimental_variable_values"}


def _repeat(fields: dict[str, Any], first: dict[str, Any], lines: Any) -> None:
    """Take a parameter that the block leaves out from the first block."""
    names = [_LISTS.get(lines, lines)] if isinstance(lines, str) else [name for name, _ in lines]
    for name in names:
        if name not in first:
            raise ReadError(f"a later block leaves out {name!r}, which the first block does not give either")
        fields[name] = first[name]


def _read_ordinates(cursor: _Cursor, fields: dict[str, Any], number: int) -> NDArray[np.float64]:
    variables = fields["corresponding_variables"]
    total = cursor.count(f"number of ordinate values of block {number}")
    if total % len(variables):
        raise ReadError(
            f"line {cursor.at}: block {number} announces {total} values for {len(variables)} variables, "
            "which do not divide; the file is damaged"
        )
    ranges = []
    for variable in variables:
        label = variable["label"]
        ranges.append([cursor.number(f"least {label!r}"), cursor.number(f"greatest {label!r}")])
    fields["ordinate_ranges"] = ranges
    return cursor.floats(total, f"a value of block {number}").reshape(-1, len(variables))
