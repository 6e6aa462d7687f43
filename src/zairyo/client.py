"""The Python client: search to a DataFrame, fetch a measurement, upload, download with the hash checked.

>>> lab = zairyo.connect("https://zairyo.example.org", token="zry_…")
>>> lab.search("technique:xrd temperature>300 degC").to_pandas()
>>> m = lab.measurement("0192…").read()
>>> lab.measurement(lab.upload("scan.xrdml", project="demo")[0].measurement).wait().read().plot()
"""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from secrets import token_hex
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpx

from zairyo.agent.files import Changed, is_unicode, members
from zairyo.agent.send import (
    Later,
    NotAllowed,
    Raw,
    Refused,
    ServerAway,
    hash_file,
    make_client,
    problem_of,
    send,
    set_metadata,
)

if TYPE_CHECKING:
    import pandas as pd

    from zairyo.measurement import Measurement

_COPY_BYTES = 1024 * 1024
_PAGE = 200
#: An upload that was cut off goes on after so many seconds, and so often.
RETRY_SECONDS = (0.5, 1.0, 2.0, 4.0)
_POLL_SECONDS = 0.1
_COLUMNS = (
    "uid", "title", "technique", "sample", "operator", "instrument", "project", "state", "measured_at", "received_at",
)  # fmt: skip


class ZairyoError(RuntimeError):
    """The server did not do what was asked. ``code`` is its stable slug; the text says what to do."""

    def __init__(self, message: str, code: str = "", status: int = 0) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


def connect(
    url: str | None = None, token: str | None = None, *, transport: httpx.BaseTransport | None = None
) -> Client:
    """Connect to a server and check that it lets the token in.

    Parameters
    ----------
    url
        ``https://…``; by default the environment's ``ZAIRYO_URL``.
    token
        Made on the server's page of your account; by default the environment's ``ZAIRYO_TOKEN``.

    Raises
    ------
    ZairyoError
        If the server cannot be reached or does not take the token.

    Examples
    --------
    >>> with zairyo.connect("https://zairyo.example.org") as lab:  # the token from ZAIRYO_TOKEN
    ...     lab.upload("scan.xrdml", project="demo")
    """
    url = url or os.environ.get("ZAIRYO_URL", "http://127.0.0.1:8000")
    token = token or os.environ.get("ZAIRYO_TOKEN", "")
    if not token:
        raise ZairyoError(
            "A token is needed: make one on your account's page and give it as token= or ZAIRYO_TOKEN."
        )
    client = Client(url, token, transport)
    try:
        client.me()
    except ZairyoError:
        client.close()
        raise
    return client


@dataclass(frozen=True)
class Uploaded:
    """A receipt: what the server has on disk."""

    name: str
    sha256: str
    size: int
    """Bytes."""
    measurement: str
    """The measurement's uid."""
    duplicate: bool
    """It was there already."""


class Client:
    """A server, as one account sees it. Made by :func:`connect`."""

    def __init__(self, url: str, token: str, transport: httpx.BaseTransport | None = None) -> None:
        try:
            self._http = make_client(url, token, transport)
        except ValueError as e:
            raise ZairyoError(f"{e}.") from None
        self.url = str(self._http.base_url).removesuffix("/api/v1/")

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def __repr__(self) -> str:
        return f"<Zairyo at {self.url}>"

    def get(self, path: str, params: Mapping[str, Any] | None = None) -> Any:
        """Any GET of the api, as JSON; :class:`ZairyoError` if it fails."""
        return self._json("GET", path, params=params)

    def me(self) -> dict[str, Any]:
        """The account, its projects and the token's scopes."""
        return dict(self.get("me"))

    def search(
        self,
        query: str = "",
        *,
        sort: str = "-received_at",
        technique: str | Sequence[str] = (),
        instrument: str | Sequence[str] = (),
        project: str | Sequence[str] = (),
        sample: str | Sequence[str] = (),
        operator: str | Sequence[str] = (),
        state: str | Sequence[str] = (),
    ) -> Search:
        """Measurements that match, read as they are needed.

        Parameters
        ----------
        query
            The search language: words, ``technique:xrd``, ``temperature>300 degC``, ``after:2026-01``.
        sort
            ``received_at``, ``measured_at``, ``title``, ``sample``, ``technique`` or ``instrument``; ``-`` reverses.
        technique, instrument, project, sample, operator, state
            One value, or several of which one has to fit.
        """
        filters = {
            "technique": technique, "instrument": instrument, "project": project,
            "sample": sample, "operator": operator, "state": state,
        }  # fmt: skip
        given = {key: [v] if isinstance(v, str) else list(v) for key, v in filters.items() if v}
        return Search(self, {"q": query, "sort": sort, **given})

    def measurement(self, uid: str) -> Remote:
        """One measurement by its uid."""
        return Remote(self, self.get(f"measurements/{quote(uid, safe='')}"))

    def upload(
        self, path: str | os.PathLike[str], *, project: str, instrument: str | None = None
    ) -> list[Uploaded]:
        """Send a file, or a folder that is one measurement; goes on where a lost connection ended.

        Parameters
        ----------
        path
            The file or folder.
        project
            Slug of a project in which you are a contributor.
        instrument
            Slug of the instrument it is from, if it is one of the server's.

        Returns
        -------
        list of Uploaded
            A receipt a file. The server's hash was compared with the file's.

        Raises
        ------
        ZairyoError
            If the server does not take it, or stays away.
        OSError
            If a file cannot be read.
        """
        source = Path(os.path.abspath(path))
        if not is_unicode(source.name):
            raise ZairyoError(f"The name {source.name!a} is not Unicode; rename it.")
        common = (("project", project), *((("instrument", instrument),) if instrument else ()))
        if not source.is_dir():
            return [self._send(source, source.name, common)]
        files = [(name, source / name) for name, _ in members(source)]
        if not files:
            raise ZairyoError(f"{source} is an empty folder.")
        together = set_metadata(source.name, files)
        return [
            self._send(f, source.name, (*common, *more)) for (_, f), more in zip(files, together, strict=True)
        ]

    def _send(self, source: Path, path: str, metadata: tuple[tuple[str, str], ...]) -> Uploaded:
        stat = source.stat()
        raw = Raw(source, path, stat.st_size, stat.st_mtime_ns, more=metadata)
        upload: list[str] = []
        for pause in (*RETRY_SECONDS, None):
            try:
                receipt = send(self._http, raw, upload=upload[-1] if upload else None, remember=upload.append)
                return Uploaded(
                    **{k: receipt[k] for k in ("name", "sha256", "size", "measurement", "duplicate")}
                )
            except (ServerAway, Later) as e:
                if pause is None:
                    raise ZairyoError(f"{source.name} could not be sent: {e}.") from e
                time.sleep(pause)
            except Changed:
                raise ZairyoError(
                    f"{source.name} changed while it was sent; try again when it is finished."
                ) from None
            except (Refused, NotAllowed) as e:
                raise ZairyoError(f"{source.name} was not taken: {e}") from e
        raise AssertionError  # the loop returns or raises

    def _json(self, method: str, path: str, **options: Any) -> Any:
        try:
            answer = self._http.request(method, path, **options)
        except httpx.HTTPError as e:
            raise ZairyoError(f"{self.url} cannot be reached: {e or type(e).__name__}") from e
        check(answer)
        try:
            return answer.json()
        except ValueError:
            raise ZairyoError(f"What answers at {self.url} is not a Zairyo server.") from None

    def download(self, path: str, target: Path, sha256: str) -> Path:
        """Download to ``target``, checking the SHA-256; nothing is left there if it is wrong."""
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(f".{token_hex(8)}.part")
        digest = hashlib.sha256()
        try:
            with partial.open("xb") as f, self._http.stream("GET", path) as answer:
                if answer.status_code >= 300:
                    answer.read()
                check(answer)
                for piece in answer.iter_raw(_COPY_BYTES):
                    digest.update(piece)
                    f.write(piece)
            if digest.hexdigest() != sha256:
                raise ZairyoError(
                    f"{target.name} arrived damaged (its SHA-256 is another); try again.", "wrong_hash"
                )
            os.replace(partial, target)
        except httpx.HTTPError as e:
            raise ZairyoError(f"{target.name} could not be downloaded: {e or type(e).__name__}") from e
        finally:
            with suppress(FileNotFoundError):
                partial.unlink()
        return target


def check(answer: httpx.Response) -> None:
    """Raise :class:`ZairyoError` with the server's words unless the answer is a success."""
    if answer.status_code >= 300:
        detail, code = problem_of(answer)
        raise ZairyoError(detail, code, answer.status_code)


@dataclass
class Search:
    """What a search finds, read a page at a time as it is needed."""

    client: Client = field(repr=False)
    params: dict[str, Any]
    page: int = _PAGE
    """So many are read at once."""

    def __iter__(self) -> Iterator[Remote]:
        cursor: str | None = ""
        while cursor is not None:
            page = self.client.get("measurements", {**self.params, "limit": self.page, "cursor": cursor})
            yield from (Remote(self.client, row) for row in page["items"])
            cursor = page["next_cursor"]

    def count(self) -> int:
        """How many there are; the server counts up to 2,000."""
        return int(self.client.get("measurements", {**self.params, "limit": 1})["total"])

    def first(self) -> Remote | None:
        """The first, or None."""
        return next(iter(Search(self.client, self.params, page=1)), None)

    def to_pandas(self, limit: int | None = None) -> pd.DataFrame:
        """A row a measurement, indexed by uid, with its times as aware timestamps."""
        import pandas as pd

        rows = [
            {
                **{k: v for k, v in found.row.items() if k not in ("thumbnail", "instrument", "project")},
                "instrument": (found.row["instrument"] or {}).get("name"),
                "project": found.row["project"]["slug"],
            }
            for found in islice(self, limit)
        ]
        frame = pd.DataFrame(rows) if rows else pd.DataFrame(columns=_COLUMNS)
        for name in ("measured_at", "received_at"):
            frame[name] = pd.to_datetime(frame[name], utc=True, format="ISO8601")
        return frame.set_index("uid")


@dataclass
class Remote:
    """A measurement on the server: what lists say of it at once, the rest when asked for."""

    client: Client = field(repr=False)
    row: dict[str, Any] = field(repr=False)

    @property
    def uid(self) -> str:
        return str(self.row["uid"])

    @property
    def title(self) -> str:
        return str(self.row["title"])

    @property
    def received_at(self) -> datetime:
        return datetime.fromisoformat(self.row["received_at"])

    def __repr__(self) -> str:
        return f"<{self.row['technique_short'] or 'measurement'} {self.title!r}, {self.row['state']}, {self.uid}>"

    def detail(self) -> dict[str, Any]:
        """Everything the server says of it now, as JSON."""
        self.row = dict(self.client.get(f"measurements/{quote(self.uid, safe='')}"))
        return self.row

    def wait(self, seconds: float = 60.0) -> Remote:
        """Wait until it was translated, or could not be; right after an upload it takes a moment.

        Raises
        ------
        ZairyoError
            If it takes longer than so many ``seconds``.
        """
        end = time.monotonic() + seconds
        while self.detail()["state"] in ("receiving", "waiting"):
            if time.monotonic() > end:
                raise ZairyoError(f"{self.title} was not translated within {seconds:g} s.", "not_translated")
            time.sleep(_POLL_SECONDS)
        return self

    def read(self) -> Measurement:
        """The measurement in the standard form, with all its arrays, checked against its hash.

        Raises
        ------
        ZairyoError
            If it is not translated; the text says why.
        """
        from zairyo.measurement import nexus

        standard = self.detail()["standard"]
        if standard is None:
            translation = self.row["translation"] or {}
            raise ZairyoError(
                f"{self.title} is not in the standard form ({self.row['state']}): "
                f"{translation.get('error_message') or 'it has not been translated yet'}",
                "not_translated",
            )
        with TemporaryDirectory() as folder:
            path = self.client.download(
                f"measurements/{self.uid}/standard", Path(folder) / "m.nxs", standard["sha256"]
            )
            return nexus.read(path)

    def download(self, folder: str | os.PathLike[str] = ".") -> list[Path]:
        """Its raw files into ``folder``, each checked against its hash; existing other files are not overwritten."""
        base = Path(folder)
        found = []
        for raw in self.detail()["raw_files"]:
            target = base / _local_name(raw["name"])
            if target.exists():
                with target.open("rb") as f:
                    if hash_file(f) != raw["sha256"]:
                        raise ZairyoError(
                            f"{target} is there already and is another file; choose another folder."
                        )
                found.append(target)
                continue
            path = f"measurements/{self.uid}/raw/{quote(raw['name'])}"
            found.append(self.client.download(path, target, raw["sha256"]))
        return found


def _local_name(name: str) -> Path:
    """A server's file name as a path that stays below the folder it is put into."""
    parts = [re.sub(r'[\x00-\x1f<>:"\\|?*]', "_", p) for p in name.split("/") if p not in ("", ".", "..")]
    if not parts:
        raise ZairyoError(f"The server names a raw file {name!r}.")
    return Path(*parts)
