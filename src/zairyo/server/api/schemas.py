"""What the api says of measurements. The web client's types are generated from these."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Named(BaseModel):
    slug: str
    name: str


class Row(BaseModel):
    """A measurement in a list."""

    uid: str
    title: str
    technique: str
    technique_short: str
    sample: str
    operator: str
    instrument: Named | None
    project: Named
    state: Literal["receiving", "waiting", "translated", "not_translated"]
    measured_at: datetime | None
    received_at: datetime
    by: str | None
    """The person who uploaded it; null where an agent did."""
    thumbnail: str
    """SVG path data of the default plot in a box of 120 × 48."""
    entries: int
    warnings: int
    version: int
    error_kind: str | None


class FilterSaid(BaseModel):
    """How a part of the query was understood."""

    key: str
    label: str


class QuerySaid(BaseModel):
    filters: list[FilterSaid]


class MeasurementPage(BaseModel):
    items: list[Row]
    next_cursor: str | None
    total: int
    total_is_exact: bool
    query: QuerySaid


class FacetValue(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    value: str
    label: str
    label_ja: str
    count: int


class HistogramBin(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    low: float
    high: float
    count: int


class NumericFacet(BaseModel):
    """A condition's values in its display unit, over a histogram."""

    model_config = ConfigDict(from_attributes=True)
    name: str
    title: str
    title_ja: str
    unit: str
    low: float
    high: float
    count: int
    histogram: list[HistogramBin]


class FacetsBody(BaseModel):
    technique: list[FacetValue]
    instrument: list[FacetValue]
    project: list[FacetValue]
    sample: list[FacetValue]
    state: list[FacetValue]
    operator: list[FacetValue]
    numeric: list[NumericFacet]
    sampled: bool
    """Counts and histograms are over the latest measurements only, because there are very many."""


class Suggestion(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    text: str
    """What to put into the search box in place of the last word."""
    label: str
    label_ja: str


class Suggestions(BaseModel):
    items: list[Suggestion]


class AxisSummary(BaseModel):
    name: str
    unit: str | None
    label: str
    size: int
    reversed: bool
    first: float | str | None
    last: float | str | None


class SignalSummary(BaseModel):
    name: str
    unit: str | None
    label: str
    dtype: str
    """NumPy's kind: f, i, u, b, c (complex), U (text), M (time)."""
    shape: list[int]
    axes: list[str]
    reversed: bool = False
    """Whether the field draws it upside down."""
    min: float | None
    max: float | None


class ConditionSummary(BaseModel):
    name: str
    title: str
    title_ja: str
    value: float | int | bool | str | None
    unit: str | None
    uncertainty: float | None
    main: bool
    """Among those that a page shows beside the plot."""
    si: float | None
    si_unit: str | None


class EntrySummary(BaseModel):
    name: str
    title: str
    technique: str
    is_table: bool
    x: str
    default: str
    started: str | None
    axes: list[AxisSummary]
    signals: list[SignalSummary]
    conditions: list[ConditionSummary]


class RawFileBody(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    name: str
    size: int
    sha256: str
    modified_at: datetime | None
    received_at: datetime


class StandardBody(BaseModel):
    sha256: str
    size: int


class TranslationBody(BaseModel):
    reader: str
    reader_version: str
    started_at: datetime
    seconds: float
    error_kind: str | None
    error_message: str | None
    advice: str | None
    advice_ja: str | None


class Step(BaseModel):
    """A step of the way it came."""

    step: Literal["instrument", "agent", "upload", "server", "reader"]
    at: datetime | None
    who: str
    detail: dict[str, str | int | float]


class VersionBody(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    uid: str
    version: int
    received_at: datetime
    state: str


class MeasurementBody(Row):
    """Everything of a measurement but its arrays and its original metadata."""

    model: str
    """The instrument as the file names it."""
    path: str
    default_entry: str
    entry_list: list[EntrySummary]
    warning_list: list[str]
    raw_files: list[RawFileBody]
    standard: StandardBody | None
    translation: TranslationBody | None
    provenance: list[Step]
    part_of: str | None
    """Uid of the measurement that this file is part of, which lists show instead."""
    versions: list[VersionBody]
    related: list[Row]
    role: str
    """The role of who asks in its project."""
    members: int
    """How many people may see it."""


class MeasurementChange(BaseModel):
    """What a person may correct. The raw files and their translation stay as they are."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)
    title: str | None = Field(default=None, max_length=500)
    sample: str | None = Field(default=None, max_length=200)
    operator: str | None = Field(default=None, max_length=200)


class TranslateOne(BaseModel):
    model_config = ConfigDict(extra="forbid")
    reader: str | None = Field(default=None, max_length=64)
    """A reader's name; null lets the surest one read it."""


class TranslateMany(BaseModel):
    """Which to translate anew: by name, or all that failed in one way."""

    model_config = ConfigDict(extra="forbid")
    uids: list[str] = Field(default_factory=list, max_length=1000)
    error_kind: str | None = Field(default=None, max_length=32)


class TranslateCount(BaseModel):
    waiting: int


class ArrayBody(BaseModel):
    name: str
    unit: str | None
    label: str
    dtype: Literal["<f8", "text", "time"]
    """``<f8``: ``data`` is base64 of little-endian doubles; ``time``: the same, milliseconds since 1970 UTC;
    ``text``: ``values``."""
    shape: list[int]
    data: str | None = None
    values: list[str] | None = None


class DataBody(BaseModel):
    arrays: list[ArrayBody]
    decimated: bool
    total_points: int


class MetadataBody(BaseModel):
    """The vendor's metadata verbatim."""

    measurement: dict[str, Any]
    entries: dict[str, dict[str, Any]]


class DownloadOrder(BaseModel):
    model_config = ConfigDict(extra="forbid")
    uids: list[str] = Field(min_length=1, max_length=1000)
    what: Literal["raw", "standard"] = "raw"


class Format(BaseModel):
    reader: str
    version: str
    vendor: str
    format: str
    techniques: list[str]
    endings: list[str]
    notes: str


class Formats(BaseModel):
    items: list[Format]
