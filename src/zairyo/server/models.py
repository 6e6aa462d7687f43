"""The catalogue's tables.

Integer ids join tables inside; ``uid`` (a time-ordered UUID in hex) is what leaves the server. Times are
aware and in UTC. Every table that holds data of a project carries ``project_id``, so that access is one
indexed comparison wherever a query starts.
"""

from __future__ import annotations

import secrets
import time
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

#: SQLite counts rows up only for INTEGER; PostgreSQL has 64 bits.
Id = BigInteger().with_variant(Integer(), "sqlite")


def now() -> datetime:
    return datetime.now(UTC)


def new_uid() -> str:
    """A UUID version 7 in hex: unique anywhere, and sorts by the time it was made."""
    stamp = time.time_ns() // 1_000_000
    value = (stamp & (2**48 - 1)) << 80 | 7 << 76 | secrets.randbits(12) << 64
    return f"{value | 2 << 62 | secrets.randbits(62):032x}"


class UtcDateTime(TypeDecorator[datetime]):
    """An aware time, kept in UTC; SQLite, which has no zones, gets it back on the way out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without zone cannot be kept")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: UtcDateTime(), dict[str, Any]: JSON(), list[Any]: JSON()}  # noqa: RUF012


class Institution(Base):
    __tablename__ = "institution"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    uid: Mapped[str] = mapped_column(String(32), unique=True, default=new_uid)
    slug: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(default=now)


class Account(Base):
    """A person. ``password_hash`` is argon2id; None where the person cannot sign in by password."""

    __tablename__ = "account"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    uid: Mapped[str] = mapped_column(String(32), unique=True, default=new_uid)
    institution_id: Mapped[int] = mapped_column(ForeignKey("institution.id"), index=True)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    """Lower case; what the person signs in with."""
    name: Mapped[str] = mapped_column(String(200))
    password_hash: Mapped[str | None] = mapped_column(String(200))
    locale: Mapped[str] = mapped_column(String(8), default="en")
    is_admin: Mapped[bool] = mapped_column(default=False)
    """May manage accounts, projects and instruments. Sees no measurement without a role in its project."""
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(default=now)
    institution: Mapped[Institution] = relationship()


class Session(Base):
    """A browser that signed in. Only the SHA-256 of the cookie's secret is kept."""

    __tablename__ = "session"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), index=True)
    secret_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(default=now)
    seen_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime] = mapped_column()
    account: Mapped[Account] = relationship()


class Token(Base):
    """A secret for programs: an account's, or (``instrument_id`` set) an agent's. Only its SHA-256 is kept."""

    __tablename__ = "token"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    uid: Mapped[str] = mapped_column(String(32), unique=True, default=new_uid)
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), index=True)
    instrument_id: Mapped[int | None] = mapped_column(
        ForeignKey("instrument.id", ondelete="CASCADE"), index=True
    )
    name: Mapped[str] = mapped_column(String(200))
    secret_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    scopes: Mapped[list[Any]] = mapped_column()
    """Of ``zairyo.server.access.SCOPES``."""
    created_at: Mapped[datetime] = mapped_column(default=now)
    used_at: Mapped[datetime | None] = mapped_column()
    expires_at: Mapped[datetime | None] = mapped_column()
    revoked_at: Mapped[datetime | None] = mapped_column()
    account: Mapped[Account | None] = relationship()
    instrument: Mapped[Instrument | None] = relationship()


class Project(Base):
    __tablename__ = "project"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    uid: Mapped[str] = mapped_column(String(32), unique=True, default=new_uid)
    institution_id: Mapped[int] = mapped_column(ForeignKey("institution.id"), index=True)
    slug: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(default=now)
    institution: Mapped[Institution] = relationship()


class Membership(Base):
    """A person's role in a project, of ``zairyo.server.access.ROLES``: viewer, contributor or steward."""

    __tablename__ = "membership"
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"), primary_key=True)
    account_id: Mapped[int] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    role: Mapped[str] = mapped_column(String(16))
    created_at: Mapped[datetime] = mapped_column(default=now)
    project: Mapped[Project] = relationship()
    account: Mapped[Account] = relationship()


class Instrument(Base):
    """One device. What it measures goes to its default project."""

    __tablename__ = "instrument"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    uid: Mapped[str] = mapped_column(String(32), unique=True, default=new_uid)
    institution_id: Mapped[int] = mapped_column(ForeignKey("institution.id"), index=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"), index=True)
    slug: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    place: Mapped[str] = mapped_column(String(200), default="")
    timezone: Mapped[str] = mapped_column(String(64), default="")
    """IANA name of the zone its clock shows; empty means the server's. Gives naive times their zone."""
    settings: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Rules for its files, see ``zairyo.agent.rules.Rules`` for the keys."""
    settings_version: Mapped[int] = mapped_column(default=1)
    pairing_sha256: Mapped[str | None] = mapped_column(String(64))
    pairing_expires_at: Mapped[datetime | None] = mapped_column()
    agent: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """What the agent last told of itself: version, host, waiting, failed, problems."""
    seen_at: Mapped[datetime | None] = mapped_column()
    file_at: Mapped[datetime | None] = mapped_column()
    """When its last file was received."""
    created_at: Mapped[datetime] = mapped_column(default=now)
    institution: Mapped[Institution] = relationship()
    project: Mapped[Project] = relationship()


class Object(Base):
    """Bytes in the object store, by their SHA-256. Never changed, never deleted by a user's action."""

    __tablename__ = "object"
    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    size: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(default=now)


class Upload(Base):
    """A tus upload on its way in. Gone from here once its bytes are an object and its raw file is catalogued."""

    __tablename__ = "upload"
    uid: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_uid)
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), index=True)
    instrument_id: Mapped[int | None] = mapped_column(
        ForeignKey("instrument.id", ondelete="CASCADE"), index=True
    )
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"))
    size: Mapped[int] = mapped_column(BigInteger)
    offset: Mapped[int] = mapped_column(BigInteger, default=0)
    sha256: Mapped[str] = mapped_column(String(64))
    """What the sender says the whole hashes to."""
    meta: Mapped[dict[str, Any]] = mapped_column(default=dict)
    receipt: Mapped[dict[str, Any] | None] = mapped_column()
    """Set when it is complete; kept until ``expires_at`` so that a sender that lost the answer can ask again."""
    created_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime] = mapped_column(index=True)


#: ``Measurement.state``.
RECEIVING = "receiving"  # a set of files of which some are still to come
WAITING = "waiting"  # to be translated (or translated again)
TRANSLATED = "translated"
NOT_TRANSLATED = "not_translated"
STATES = (RECEIVING, WAITING, TRANSLATED, NOT_TRANSLATED)


class Measurement(Base):
    """One run of one instrument on one sample. Text columns are what search and lists show."""

    __tablename__ = "measurement"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    uid: Mapped[str] = mapped_column(String(32), unique=True, default=new_uid)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"))
    instrument_id: Mapped[int | None] = mapped_column(ForeignKey("instrument.id"))
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"), index=True)
    """Who uploaded it; None where an agent did."""
    intake_key: Mapped[str] = mapped_column(String(64), unique=True)
    """SHA-256 over who sent it, its path there and its content: the same file twice is one measurement."""
    path: Mapped[str] = mapped_column(Text)
    """Where it lay, relative to the instrument's folder, with '/'; the file name for a browser's upload."""
    version: Mapped[int] = mapped_column(default=1)
    """Counts up when the file at the same path was changed and sent again."""
    previous_id: Mapped[int | None] = mapped_column(ForeignKey("measurement.id"), index=True)
    superseded: Mapped[bool] = mapped_column(default=False)
    """A later version is there, or another measurement that this is a :class:`Part` of; lists leave it out."""
    batch: Mapped[str | None] = mapped_column(String(64))
    """What a person sent at once has one, by which files of a set find each other; None where an agent sends."""
    files_expected: Mapped[int] = mapped_column(default=1)
    state: Mapped[str] = mapped_column(String(16), default=WAITING)
    reader: Mapped[str | None] = mapped_column(String(64))
    """The reader a person chose for it; None means the surest."""
    lease_owner: Mapped[str | None] = mapped_column(String(64))
    lease_until: Mapped[datetime | None] = mapped_column()
    attempts: Mapped[int] = mapped_column(default=0)
    """Times a worker took it without reporting back; a file that kills its workers is given up at three."""
    translation_id: Mapped[int | None] = mapped_column(
        ForeignKey("translation.id", use_alter=True, name="fk_measurement_translation")
    )
    """The last translation that ended, well or not."""
    title: Mapped[str] = mapped_column(Text, default="")
    technique: Mapped[str] = mapped_column(String(64), default="")
    sample: Mapped[str] = mapped_column(String(200), default="")
    operator: Mapped[str] = mapped_column(String(200), default="")
    model: Mapped[str] = mapped_column(String(200), default="")
    """The instrument as the file names it."""
    corrected: Mapped[list[Any]] = mapped_column(default=list)
    """Names of the columns that a person corrected: a later translation leaves them as they are."""
    measured_at: Mapped[datetime | None] = mapped_column()
    received_at: Mapped[datetime] = mapped_column(default=now)
    changed_at: Mapped[datetime] = mapped_column(default=now)
    project: Mapped[Project] = relationship()
    instrument: Mapped[Instrument | None] = relationship()
    account: Mapped[Account | None] = relationship()
    raw_files: Mapped[list[RawFile]] = relationship(back_populates="measurement", order_by="RawFile.name")
    translation: Mapped[Translation | None] = relationship(foreign_keys=[translation_id])

    __table_args__ = (
        # A list's latest page; with all that facets count, so that they need not read the rows.
        Index(
            "ix_measurement_latest",
            *("project_id", "superseded", "id", "technique", "instrument_id", "state", "sample", "operator"),
        ),
        Index(None, "project_id", "sample"),
        Index(None, "instrument_id", "received_at"),
        Index(None, "instrument_id", "path"),
        Index(None, "state", "lease_until"),
        Index(
            None,
            *("batch", "path"),
            sqlite_where=text("batch IS NOT NULL"),
            postgresql_where=text("batch IS NOT NULL"),
        ),
    )


class RawFile(Base):
    """One file of a measurement as the instrument wrote it."""

    __tablename__ = "raw_file"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    measurement_id: Mapped[int] = mapped_column(ForeignKey("measurement.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(Text)
    """Relative to the measurement: the file's name, or its path inside a folder format, with '/'."""
    sha256: Mapped[str] = mapped_column(ForeignKey("object.sha256"), index=True)
    size: Mapped[int] = mapped_column(BigInteger)
    modified_at: Mapped[datetime | None] = mapped_column()
    received_at: Mapped[datetime] = mapped_column(default=now)
    measurement: Mapped[Measurement] = relationship(back_populates="raw_files")

    __table_args__ = (UniqueConstraint("measurement_id", "name"),)


class Part(Base):
    """A measurement that turned out to be a file of another one, which is shown instead of it."""

    __tablename__ = "part"
    measurement_id: Mapped[int] = mapped_column(
        ForeignKey("measurement.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    whole_id: Mapped[int] = mapped_column(ForeignKey("measurement.id", ondelete="CASCADE"), index=True)


class Translation(Base):
    """One run of a reader over a measurement's raw files, ended well (``output_sha256``) or not (``error_kind``)."""

    __tablename__ = "translation"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    measurement_id: Mapped[int] = mapped_column(ForeignKey("measurement.id", ondelete="CASCADE"), index=True)
    reader: Mapped[str] = mapped_column(String(64), default="")
    reader_version: Mapped[str] = mapped_column(String(32), default="")
    started_at: Mapped[datetime] = mapped_column()
    seconds: Mapped[float] = mapped_column()
    output_sha256: Mapped[str | None] = mapped_column(ForeignKey("object.sha256"))
    error_kind: Mapped[str | None] = mapped_column(String(32))
    error_message: Mapped[str | None] = mapped_column(Text)
    warnings: Mapped[list[Any]] = mapped_column(default=list)
    entries: Mapped[list[Any]] = mapped_column(default=list)
    """A summary of each entry: name, title, technique, axes and signals with unit and shape, conditions."""
    default_entry: Mapped[str] = mapped_column(String(64), default="")
    """Name of the entry that is drawn first."""
    thumbnail: Mapped[str] = mapped_column(Text, default="")
    """SVG path data of the default plot in a box of 120 × 48."""

    __table_args__ = (Index(None, "reader", "reader_version"),)


class ConditionValue(Base):
    """An interval in SI that a measurement's condition lies in or a signal goes through, for search."""

    __tablename__ = "condition_value"
    measurement_id: Mapped[int] = mapped_column(
        ForeignKey("measurement.id", ondelete="CASCADE"), primary_key=True
    )
    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    dimension: Mapped[str] = mapped_column(String(64), primary_key=True)
    """The SI base unit ``si`` is in, e.g. ``K``; values of one name and another dimension are never compared."""
    si: Mapped[float] = mapped_column(Float(53), primary_key=True)
    si_max: Mapped[float] = mapped_column(Float(53), primary_key=True)
    """The interval's upper end, e.g. of the temperatures that a run went through; ``si`` itself for one value."""
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"))

    __table_args__ = (
        Index("ix_condition_value_si", "name", "dimension", "si", "si_max", "project_id", "measurement_id"),
        Index(
            "ix_condition_value_si_max", "name", "dimension", "si_max", "si", "project_id", "measurement_id"
        ),
        {"sqlite_with_rowid": False},
    )


class Event(Base):
    """What changed, for live pages; rows older than a day are dropped. ``id`` is the SSE event id."""

    __tablename__ = "event"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    at: Mapped[datetime] = mapped_column(default=now, index=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(32))
    """``measurement`` or ``instrument``."""
    uid: Mapped[str] = mapped_column(String(32))
    state: Mapped[str] = mapped_column(String(16), default="")
