"""The Python client: search to a DataFrame, fetch a measurement, upload, download with the hash checked.

>>> lab = zairyo.connect("https://zairyo.example.org", token="zry_…")
>>> lab.search("technique:xrd temperature>300 degC").to_pandas()
>>> m = lab.measurement("0192…").read()
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from zairyo.agent.scan import members
from zairyo.agent.send import Changed, NotAllowed, Raw, Refused, ServerAway, hash_file, send

if TYPE_CHECKING:
    import pandas as pd

    from zairyo.measurement import Measurement

_COPY_BYTES = 1024 * 1024
_PAGE = 200
_AS_IS = {"Accept-Encoding": "identity"}


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
    """
    url = url or os.environ.get("ZAIRYO_URL", "http://127.0.0.1:8000")
    token = token or os.environ.get("ZAIRYO_TOKEN", "")
    if not token:
        raise ZairyoError(
            "A token is needed: make one on your account's page and give it as token= or ZAIRYO_TOKEN."
        )
    client = Client(url, token, transport)
    client.me()
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
        self.url = url.rstrip("/")
        self._http = httpx.Client(
            base_url=f"{self.url}/api/v1/",
            headers={"Authorization": f"Bearer {token}"},
            timeout=httpx.Timeout(60.0, connect=10.0),
            transport=transport,
        )

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
        self, query: str = "", *, sort: str = "-received_at", **filters: str | Sequence[str]
    ) -> Search:
        """Measurements that match, read as they are needed.

        Parameters
        ----------
        query
            The search language: words, ``technique:xrd``, ``temperature>300 degC``, ``after:2026-01``.
        sort
            ``received_at``, ``measured_at``, ``title``, ``sample``, ``technique`` or ``instrument``; ``-`` reverses.
        filters
            ``technique``, ``instrument``, ``project``, ``sample``, ``operator``, ``state``: one value or several.
        """
        return Search(self, {"q": query, "sort": sort, **filters})

    def measurement(self, uid: str) -> Remote:
        """One measurement by its uid."""
        return Remote(self, self.get(f"measurements/{uid}"))

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
        A receipt a file. The server's hash was compared with the file's.
        """
        source = Path(path)
        common = [("project", project)] + ([("instrument", instrument)] if instrument else [])
        if not source.is_dir():
            return [self._send(source, source.name, tuple(common))]
        files = members(source)
        if not files:
            raise ZairyoError(f"{source} is an empty folder.")
        names = [f.relative_to(source).as_posix() for f in files]
        whole = hashlib.sha256()
        for name, file in zip(names, files, strict=True):
            with file.open("rb") as f:
                whole.update(f"{name}\0{hash_file(f)}\n".encode())
        key = hashlib.sha256(f"{source.name}\0{whole.hexdigest()}".encode()).hexdigest()
        common += [("set", key), ("set_size", str(len(files))), ("set_sha256", whole.hexdigest())]
        return [
            self._send(f, source.name, (*common, ("name", name)))
            for f, name in zip(files, names, strict=True)
        ]

    def _send(self, source: Path, path: str, metadata: tuple[tuple[str, str], ...]) -> Uploaded:
        stat = source.stat()
        raw = Raw(source, path, stat.st_size, stat.st_mtime_ns, folder=metadata)
        upload: list[str] = []
        for attempt in range(4):
            try:
                receipt = send(self._http, raw, upload=upload[0] if upload else None, remember=upload.append)
                return Uploaded(
                    **{k: receipt[k] for k in ("name", "sha256", "size", "measurement", "duplicate")}
                )
            except ServerAway as e:
                if attempt == 3:
                    raise ZairyoError(f"{source.name} could not be sent: {e}") from e
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
        return answer.json()

    def download(self, path: str, target: Path, sha256: str) -> Path:
        """Download to ``target``, checking the SHA-256; nothing is left there if it is wrong."""
        target.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:50]}-")
        digest = hashlib.sha256()
        try:
            with os.fdopen(descriptor, "wb") as f, self._http.stream("GET", path, headers=_AS_IS) as answer:
                if answer.status_code >= 400:
                    answer.read()
                check(answer)
                for piece in answer.iter_raw(_COPY_BYTES):
                    digest.update(piece)
                    f.write(piece)
            if digest.hexdigest() != sha256:
                raise ZairyoError(
                    f"{target.name} arrived damaged (its SHA-256 is another); try again.", "wrong_hash"
                )
            os.replace(name, target)
        except httpx.HTTPError as e:
            raise ZairyoError(f"{target.name} could not be downloaded: {e or type(e).__name__}") from e
        finally:
            with suppress(FileNotFoundError):
                os.unlink(name)
        return target


def check(answer: httpx.Response) -> None:
    """Raise :class:`ZairyoError` with the server's words unless the answer is a success."""
    if answer.status_code < 400:
        return
    try:
        body = answer.json()
    except ValueError:
        body = {}
    detail = body.get("detail") if isinstance(body, dict) else None
    raise ZairyoError(
        str(detail or f"The server answered {answer.status_code}."),
        str(body.get("code", "")) if isinstance(body, dict) else "",
        answer.status_code,
    )


@dataclass
class Search:
    """What a search finds, read a page at a time as it is needed."""

    client: Client = field(repr=False)
    params: dict[str, Any]

    def __iter__(self) -> Iterator[Remote]:
        cursor: str | None = ""
        while cursor is not None:
            page = self.client.get("measurements", {**self.params, "limit": _PAGE, "cursor": cursor})
            yield from (Remote(self.client, row) for row in page["items"])
            cursor = page["next_cursor"]

    def __len__(self) -> int:
        """How many; at most 10,000 are counted."""
        return int(self.client.get("measurements", {**self.params, "limit": 1})["total"])

    def first(self) -> Remote | None:
        """The first, or None."""
        return next(iter(self), None)

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
        columns = [
            "uid",
            "title",
            "technique",
            "sample",
            "instrument",
            "project",
            "state",
            "measured_at",
            "received_at",
        ]
        frame = pd.DataFrame(rows) if rows else pd.DataFrame(columns=columns)
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
        """Everything the server says of it, as JSON."""
        if "raw_files" not in self.row:
            self.row = self.client.get(f"measurements/{self.uid}")
        return self.row

    def read(self) -> Measurement:
        """The measurement in the standard form, with all its arrays, checked against its hash."""
        from zairyo.measurement import nexus

        standard = self.detail()["standard"]
        if standard is None:
            translation = self.row["translation"] or {}
            raise ZairyoError(
                f"{self.title} is not in the standard form ({self.row['state']}): "
                f"{translation.get('error_message') or 'it has not been translated yet'}",
                "not_translated",
            )
        with tempfile.TemporaryDirectory() as folder:
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
            path = f"measurements/{self.uid}/raw/{_quoted(raw['name'])}"
            found.append(self.client.download(path, target, raw["sha256"]))
        return found


def _quoted(name: str) -> str:
    from urllib.parse import quote

    return quote(name, safe="/")


def _local_name(name: str) -> Path:
    """A server's file name as a path that stays below the folder it is put into."""
    parts = [re.sub(r'[\x00-\x1f<>:"\\|?*]', "_", p) for p in name.split("/") if p not in ("", ".", "..")]
    if not parts:
        raise ZairyoError(f"The server names a raw file {name!r}.")
    return Path(*parts)
