"""What the person who runs the server may set: flags of ``zairyo serve`` or ``ZAIRYO_*`` in the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from urllib.parse import urlsplit

import platformdirs


class SettingsError(ValueError):
    """A setting cannot be used; the message names it and says what it may be."""


def default_data() -> Path:
    """Where the data lies unless told otherwise, e.g. ``~/.local/share/zairyo``."""
    return Path(platformdirs.user_data_dir("zairyo", appauthor=False))


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything that differs between two servers."""

    data: Path = field(default_factory=default_data)
    """Folder of the objects, of uploads on their way in and, unless ``database`` says otherwise, of the catalogue."""
    database: str = ""
    """SQLAlchemy URL, e.g. ``postgresql://user:secret@host/zairyo``; empty: SQLite in the data folder."""
    host: str = "127.0.0.1"
    port: int = 8000
    public_url: str = ""
    """How browsers and agents reach the server, e.g. ``https://zairyo.example.org``; empty: host and port."""
    workers: int = field(default_factory=lambda: os.cpu_count() or 1)
    """Child processes that translate."""
    max_file_bytes: int = 4 * 1024**3
    """Largest file that is taken."""
    translation_seconds: int = 120
    """Longest that one file may be translated, wall clock and processor each."""
    translation_mib: int = 4096
    """Most memory that one translation may use, and largest standard form it may make, MiB each."""
    session_days: int = 14
    """A browser that was not used for so many days has to sign in again."""
    log_level: str = "info"

    def __post_init__(self) -> None:
        object.__setattr__(self, "data", Path(self.data).expanduser().absolute())
        for name, least, most in (
            ("port", 0, 65535),
            ("workers", 0, 1024),
            ("max_file_bytes", 1, 2**50),
            ("session_days", 1, 3650),
            ("translation_seconds", 1, 86_400),
            ("translation_mib", 64, 2**20),
        ):
            if not least <= getattr(self, name) <= most:
                raise SettingsError(
                    f"{name.replace('_', ' ')} is {getattr(self, name)}; it may be {least} to {most}"
                )
        if self.public_url:
            parts = urlsplit(self.public_url)
            if parts.scheme not in ("http", "https") or not parts.hostname or parts.path not in ("", "/"):
                raise SettingsError(
                    f"public url is {self.public_url!r}; write it like https://zairyo.example.org, without a path"
                )
            object.__setattr__(self, "public_url", self.public_url.rstrip("/"))

    @property
    def url(self) -> str:
        """The server's address without a slash at its end."""
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::", "") else self.host  # noqa: S104
        return self.public_url or f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    @property
    def secure(self) -> bool:
        """Whether browsers come by https, so that the cookie may insist on it."""
        return self.url.startswith("https://")

    @property
    def database_url(self) -> str:
        """The database's URL with the driver Zairyo uses."""
        url = self.database or f"sqlite:///{self.data / 'zairyo.sqlite'}"
        for prefix in ("postgresql://", "postgres://"):
            if url.startswith(prefix):
                return "postgresql+psycopg://" + url.removeprefix(prefix)
        return url

    @property
    def objects_folder(self) -> Path:
        return self.data / "objects"

    @property
    def uploads_folder(self) -> Path:
        """Partial uploads; on the same file system as the objects, so that a finished one is only renamed."""
        return self.data / "uploads"


def from_environment(environ: Mapping[str, str] = os.environ, **given: object) -> Settings:
    """Settings from ``ZAIRYO_*``; what is ``given`` and not None wins.

    Raises
    ------
    SettingsError
        If a value is not a number where one is needed or lies outside of what is possible.
    """
    values: dict[str, object] = {name: value for name, value in given.items() if value is not None}
    for f in fields(Settings):
        variable = f"ZAIRYO_{f.name.upper()}"
        if f.name in values or not (text := environ.get(variable, "").strip()):
            continue
        try:
            values[f.name] = int(text) if f.type == "int" else text
        except ValueError:
            raise SettingsError(f"{variable} is {text!r}; it has to be a whole number") from None
    return Settings(**values)  # type: ignore[arg-type]
