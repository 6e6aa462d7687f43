"""mzML (HUPO-PSI): spectra and chromatograms of any mass spectrometer, indexed or not, read as a stream."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from zairyo.measurement import (
    Axis,
    Entry,
    Measurement,
    Quantity,
    Signal,
    clean_text,
    make_name,
    table,
    tidy_metadata,
)
from zairyo.measurement.model import Array
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._mzml_stream import MOST_POINTS, Run, stream
from zairyo.readers._separation import Scans, mass_runs, moment, trace, unique

_MOST_TRACES = 20  # more chromatograms than these are a table
_TOTAL_TRACE, _BASE_TRACE = "MS:1000235", "MS:1000628"
_COUNTS = "MS:1000131"
_IONISATION = {"MS:1000073": "ESI", "MS:1000398": "nano-ESI", "MS:1000070": "APCI", "MS:1000382": "APPI",
               "MS:1000075": "MALDI", "MS:1000389": "EI", "MS:1000071": "CI"}  # fmt: skip
#: An identifier of XML begins with no digit and holds no blank: ProteoWizard writes "2014" as "_x0032_014".
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_LIQUID, _GAS = ("ESI", "nano-ESI", "APCI", "APPI"), ("EI", "CI")


def sniff(src: RawInput) -> float:
    head = src.head[:4096].lstrip(b"\xef\xbb\xbf \r\n\t")
    return CERTAIN if head.startswith(b"<") and (b"<mzML" in head or b"<indexedmzML" in head) else NO


def read(src: RawInput) -> Measurement:
    run = stream(src)
    warnings: list[str] = []
    if run.left_out:
        names = ", ".join(sorted(run.left_out)[:10])
        warnings.append(f"Beside masses and abundances the file holds arrays that are not read: {names}.")
    for kind, count in (
        ("spectra", len(run.spectra) + len(run.absorption)),
        ("chromatograms", len(run.chromatograms)),
    ):
        if run.announced.get(kind, count) > count:
            warnings.append(
                f"The file announces {run.announced[kind]} {kind}, but holds {count}; those there are kept."
            )
    conditions, technique = _conditions(run)
    shared: dict[str, Any] = {"conditions": conditions, "started": moment(run.run.get("startTimeStamp", ""))}
    taken: set[str] = set()
    entries: list[Entry] = []
    if run.spectra:
        entries += spectra_entries(run, technique, shared)
        taken.update(e.name for e in entries)
    entries += _absorption(run, taken, shared)
    entries += _chromatograms(run, technique, taken, shared)
    if not entries:
        raise ReadError(
            f"{src.name} holds no spectrum and no chromatogram; nothing was acquired or it was cut off"
        )
    return Measurement(
        entries=tuple(entries),
        title=clean_text(_ESCAPED.sub(lambda m: chr(int(m[1], 16)), run.run.get("id", ""))) or src.name,
        sample=_sample(run.head),
        instrument=_instrument(run),
        original_metadata=tidy_metadata({**run.head, "run": run.run, "first_spectrum": run.first}),
        warnings=tuple(warnings),
    )


# --- entries ------------------------------------------------------------------------------------------------


def _unit(term: str) -> str | None:
    return "counts" if term == _COUNTS else {"MS:1000814": "count/s", "MS:1000132": "percent"}.get(term)


def spectra_entries(run: Run, technique: str, shared: dict[str, Any]) -> list[Entry]:
    """The entries of a run's spectra: those of each MS level, polarity and kind apart."""
    spectra = run.spectra
    numbers = np.array([s.number or k for k, s in enumerate(spectra, 1)], dtype=np.int32)
    times = np.array([s.time for s in spectra])
    if not np.isfinite(times).all():  # a spectrum without a time is in the order it was taken
        times = np.arange(len(spectra), dtype=float)
    counts = np.array([len(s.masses) for s in spectra])
    if counts.sum() > MOST_POINTS:
        raise ReadError(f"the run has {counts.sum()} points, more than are read at once ({MOST_POINTS})")
    columns = [
        Signal(name, np.array([getattr(s, attribute) for s in spectra]), unit)
        for name, attribute, unit in (
            ("precursor_mass_to_charge", "precursor", ""),
            ("precursor_charge", "charge", ""),
            ("collision_energy", "energy", "eV"),
        )
    ]
    kinds: dict[str, Array] = {}
    several = len({s.polarity for s in spectra}) > 1
    modes = {(s.level, s.polarity, s.is_profile) for s in spectra}
    for level, polarity, is_profile in sorted(modes):
        both = (level, polarity, not is_profile) in modes
        name = (
            f"ms{level}{f'_{polarity}' if several and polarity else ''}{'_profile' * (both and is_profile)}"
        )
        kinds[name] = np.array(
            [(s.level, s.polarity, s.is_profile) == (level, polarity, is_profile) for s in spectra]
        )
    entries: list[Entry] = []
    for name, chosen in kinds.items():
        picked = [s for s, yes in zip(spectra, chosen, strict=True) if yes]
        totals, bases = np.array([s.total for s in picked]), np.array([s.base for s in picked])
        whole = Scans(
            times=times[chosen],
            counts=counts[chosen],
            masses=np.concatenate([s.masses for s in picked]),
            abundances=np.concatenate([s.abundances for s in picked]),
            unit=_unit(picked[0].unit),
            numbers=numbers[chosen],
            total=totals if np.isfinite(totals).all() else None,
            base_abundance=bases if np.isfinite(bases).all() else None,
            base_mass=np.array([s.base_mass for s in picked]) if np.isfinite(bases).all() else None,
            columns=[
                Signal(c.name, c.values[chosen], c.unit)
                for c in columns
                if np.isfinite(c.values[chosen]).any()
            ],
            is_profile=picked[0].is_profile,
        )
        conditions = {**shared["conditions"], "ms_level": Quantity(picked[0].level, "")}
        if picked[0].polarity:
            conditions["ion_polarity"] = Quantity(picked[0].polarity)
        prefix = f"{name}_" if len(kinds) > 1 else ""
        more = mass_runs(
            technique, whole, {name: np.ones(len(picked), bool)}, **{**shared, "conditions": conditions}
        )
        entries += [_renamed(e, prefix) for e in more]
    return entries


def _renamed(entry: Entry, prefix: str) -> Entry:
    return replace(entry, name=f"{prefix}{entry.name}") if prefix else entry


def _absorption(run: Run, taken: set[str], shared: dict[str, Any]) -> list[Entry]:
    """A diode array's spectra, over common wavelengths."""
    if not run.absorption:
        return []
    wavelengths = run.absorption[0][1]
    if any(len(w) != len(wavelengths) or (w != wavelengths).any() for _, w, _ in run.absorption) or not len(
        wavelengths
    ):
        raise ReadError("the absorption spectra do not all go over the same wavelengths, which is not read")
    times = np.array([time for time, _, _ in run.absorption])
    axes = (Axis("time", times, "min"), Axis("wavelength", wavelengths, "nm"))
    values = np.stack([values for _, _, values in run.absorption])
    signal = Signal("absorbance", values, None, ("time", "wavelength"))
    return [Entry(unique(taken, "absorption"), "lc", axes, (signal,), title="Absorption", **shared)]


def _chromatograms(run: Run, technique: str, taken: set[str], shared: dict[str, Any]) -> list[Entry]:
    entries: list[Entry] = []
    others = []
    for one in run.chromatograms:
        name, params, times, values, _, _ = one
        signal = (
            "total_ion_current"
            if _TOTAL_TRACE in params
            else "base_peak_abundance"
            if _BASE_TRACE in params
            else ""
        )
        if signal:
            entry_name = unique(taken, make_name(name, "chromatogram"))
            unit = _unit(params["unit"][0])
            entries.append(
                trace(entry_name, technique, times, values, unit=unit, signal=signal, title=name, **shared)
            )
        else:
            others.append(one)
    if len(others) > _MOST_TRACES:
        return [*entries, _transitions(others, technique, taken, shared)]
    for name, params, times, values, before, after in others:
        conditions = dict(shared["conditions"])
        for key, mass in (("precursor_mass_to_charge", before), ("product_mass_to_charge", after)):
            if np.isfinite(mass):
                conditions[key] = Quantity(mass, "")
        entries.append(
            trace(
                unique(taken, make_name(name, "chromatogram")),
                technique,
                times,
                values,
                unit=_unit(params["unit"][0]),
                signal="abundance",
                title=name,
                **{**shared, "conditions": conditions},
            )
        )
    return entries


def _transitions(others: list[Any], technique: str, taken: set[str], shared: dict[str, Any]) -> Entry:
    """Many chromatograms as one table, with a column that tells them apart; their names are in the metadata."""
    counts = [len(times) for _, _, times, _, _, _ in others]
    columns = [
        Signal("chromatogram", np.repeat(np.arange(1, len(others) + 1), counts)),
        Signal("time", np.concatenate([o[2] for o in others]), "min"),
        Signal("abundance", np.concatenate([o[3] for o in others]), _unit(others[0][1]["unit"][0])),
    ]
    for name, index in (("precursor_mass_to_charge", 4), ("product_mass_to_charge", 5)):
        masses = np.array([o[index] for o in others])
        if np.isfinite(masses).any():
            columns.append(Signal(name, np.repeat(masses, counts), ""))
    told = {"chromatograms": {str(i): o[0] for i, o in enumerate(others, 1)}}
    return table(
        unique(taken, "chromatograms"), technique, columns, x="time", default="abundance", title="Chromatograms",
        original_metadata=tidy_metadata(told), **shared,
    )  # fmt: skip


# --- what the head tells ------------------------------------------------------------------------------------


def _terms(tree: Any) -> Iterator[dict[str, str]]:
    """Every cvParam in a tree of the head."""
    if isinstance(tree, dict):
        if "@accession" in tree:
            yield tree
        for value in tree.values():
            yield from _terms(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from _terms(value)


def _conditions(run: Run) -> tuple[dict[str, Quantity], str]:
    found: dict[str, Quantity] = {}
    configuration = run.head.get("instrumentConfigurationList", {})
    ionisation = next(
        (_IONISATION[t["@accession"]] for t in _terms(configuration) if t["@accession"] in _IONISATION), ""
    )
    if ionisation:
        found["ionisation"] = Quantity(ionisation)
    analysers = [t.get("@name", "") for t in _terms(_inside(configuration, "analyzer"))]
    if analysers:
        found["mass_analyser"] = Quantity(clean_text(", ".join(dict.fromkeys(analysers))))
    for term in (*_terms(configuration), *_terms(run.head.get("referenceableParamGroupList", {}))):
        if term["@accession"] == "MS:1000529" and term.get("@value"):
            found["instrument_serial"] = Quantity(clean_text(term["@value"]))
    if len(run.spectra) < 2 and not run.chromatograms:
        return found, "mass_spectrometry"
    kind = "lc_ms" if ionisation in _LIQUID else "gc_ms" if ionisation in _GAS else "mass_spectrometry"
    return found, kind


def _inside(tree: Any, name: str) -> list[Any]:
    if isinstance(tree, dict):
        own = [tree[name]] if name in tree else []
        return own + [v for value in tree.values() for v in _inside(value, name)]
    return [v for value in tree for v in _inside(value, name)] if isinstance(tree, list) else []


def _instrument(run: Run) -> str:
    """The model: a term of the configuration or its groups that is neither a serial number nor an attribute."""
    parts = (run.head.get("instrumentConfigurationList", {}), run.head.get("referenceableParamGroupList", {}))
    for part in parts:
        configuration = (
            part.get("instrumentConfiguration", part.get("referenceableParamGroup", {})) if part else {}
        )
        for one in configuration if isinstance(configuration, list) else [configuration]:
            own = one.get("cvParam", []) if isinstance(one, dict) else []
            for term in own if isinstance(own, list) else [own]:
                if (
                    isinstance(term, dict)
                    and not term.get("@value")
                    and term.get("@name") != "instrument model"
                ):
                    return clean_text(term.get("@name", ""))
    return ""


def _sample(head: dict[str, Any]) -> str:
    sample = head.get("sampleList", {}).get("sample", {}) if isinstance(head.get("sampleList"), dict) else {}
    sample = sample[0] if isinstance(sample, list) and sample else sample
    return clean_text(sample.get("@name", "")).strip() if isinstance(sample, dict) else ""


READER = Reader(
    name="mzml",
    version="2",
    techniques=("lc_ms", "gc_ms", "mass_spectrometry", "lc"),
    vendor="HUPO-PSI",
    format="mzML",
    endings=(".mzml",),
    sniff=sniff,
    read=read,
    notes="Spectra of every MS level (peaks and profiles), chromatograms, absorption spectra; zlib and MS-Numpress. "
    "Not read: arrays of ion mobility and signal to noise, zstd packing.",
)
