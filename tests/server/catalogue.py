"""Measurements made straight in the catalogue, as intake and translation would make them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Any

import numpy as np

from zairyo.measurement import Axis, Entry, Measurement, Quantity, RawFile, Signal, Source, nexus
from zairyo.measurement.summary import summarise
from zairyo.server import models
from zairyo.server.objects import LocalObjects
from zairyo.server.search import index

_NUMBERS = count(1)


def entry(name: str = "scan", technique: str = "tga", **conditions: Quantity) -> Entry:
    """A run from 25 to 900 °C."""
    temperature = np.linspace(25.0, 900.0, 50)
    return Entry(
        name=name,
        technique=technique,
        axes=(Axis("temperature", temperature, "degC"),),
        signals=(Signal("mass", 20.0 - temperature / 100, "mg", ("temperature",)),),
        conditions=conditions,
    )


def curve(technique: str = "xrd", **conditions: Quantity) -> Entry:
    """A scan without a temperature."""
    x = np.linspace(10.0, 80.0, 30)
    return Entry(
        name="scan",
        technique=technique,
        axes=(Axis("two_theta", x, "deg"),),
        signals=(Signal("intensity", x**2, "counts", ("two_theta",)),),
        conditions=conditions,
    )


@dataclass
class Catalogue:
    """Adds measurements to a world's database and objects."""

    world: Any
    made: list[models.Measurement] = field(default_factory=list)

    @property
    def objects(self) -> LocalObjects:
        objects: LocalObjects = self.world.app.state.platform.objects
        return objects

    def add(
        self,
        project: models.Project,
        entries: Sequence[Entry] | None = None,
        *,
        title: str = "",
        sample: str = "",
        operator: str = "",
        instrument: models.Instrument | None = None,
        account: models.Account | None = None,
        measured_at: datetime | None = None,
        path: str = "",
        raw: dict[str, bytes] | None = None,
        metadata: dict[str, Any] | None = None,
        warnings: Sequence[str] = (),
        **columns: Any,
    ) -> models.Measurement:
        """One measurement; without ``entries`` one that was not translated."""
        number = next(_NUMBERS)
        path = path or f"run_{number:04d}.txt"
        raw = raw if raw is not None else {path.rpartition("/")[2]: f"raw {number}".encode()}
        kept = [(name, data, self.objects.put([data])[0].sha256) for name, data in raw.items()]
        read = tuple(RawFile(name, sha256, len(data)) for name, data, sha256 in kept)
        form = self._form(entries, title, sample, operator, metadata or {}, tuple(warnings), read)
        with self.world.db.write() as session:
            for sha256, size in {sha: len(data) for _, data, sha in kept}.items():
                session.merge(models.Object(sha256=sha256, size=size))
            measurement = models.Measurement(
                project_id=project.id,
                instrument_id=instrument.id if instrument else None,
                account_id=account.id if account else None,
                intake_key=hashlib.sha256(str(number).encode()).hexdigest(),
                path=path,
                title=title,
                sample=sample,
                operator=operator,
                measured_at=measured_at,
                state=models.TRANSLATED if form else models.NOT_TRANSLATED,
                technique=form[0].technique if form else "",
                raw_files=[models.RawFile(name=n, sha256=sha, size=len(data)) for n, data, sha in kept],
                **columns,
            )
            session.add(measurement)
            session.flush()
            translation = self._translation(session, measurement, form)
            names = index.names(instrument, raw)
            index.index_measurement(session, measurement, translation, names)
        self.made.append(measurement)
        return measurement

    def _form(
        self,
        entries: Sequence[Entry] | None,
        title: str,
        sample: str,
        operator: str,
        metadata: dict[str, Any],
        warnings: tuple[str, ...],
        read: tuple[RawFile, ...],
    ) -> tuple[Measurement, str, int] | None:
        if entries is None:
            return None
        form = Measurement(
            tuple(entries),
            title=title,
            sample=sample,
            operator=operator,
            original_metadata=metadata,
            warnings=warnings,
            source=Source("test", "1", read),
        )
        [stored] = self.objects.put([nexus.dumps(form)])
        return form, stored.sha256, stored.size

    def _translation(
        self, session: Any, measurement: models.Measurement, form: tuple[Measurement, str, int] | None
    ) -> models.Translation:
        common = {"measurement_id": measurement.id, "started_at": models.now(), "seconds": 0.1}
        if form is None:
            translation = models.Translation(
                **common, error_kind="damaged", error_message="It ends too soon."
            )
        else:
            summary = summarise(form[0])
            session.merge(models.Object(sha256=form[1], size=form[2]))
            session.flush()
            translation = models.Translation(
                **common,
                reader="test",
                reader_version="1",
                output_sha256=form[1],
                entries=summary["entries"],
                warnings=summary["warnings"],
                default_entry=summary["default"],
                thumbnail=summary["thumbnail"],
            )
        session.add(translation)
        session.flush()
        measurement.translation_id = translation.id
        return translation
