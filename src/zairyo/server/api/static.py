"""The web's built files."""

from __future__ import annotations

import gzip
import mimetypes
import os
from functools import lru_cache
from pathlib import Path

from fastapi import FastAPI, Request, Response

from zairyo.server.api.problems import not_found

FOLDER = Path(__file__).resolve().parents[1] / "static"
HASHED = "assets"  # Vite names what lies here by its content
GZIPPED = (".html", ".js", ".css", ".svg", ".json", ".wasm", ".txt", ".webmanifest")
GZIP_FROM_BYTES = 1024

NOT_BUILT = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Zairyo</title></head>
<body><h1>Zairyo is running</h1>
<p>Its pages are not built yet. In the folder of its source run <code>make setup</code> and start it again.</p>
<p>The API is at <a href="/api/v1/health">/api/v1</a>.</p></body></html>
"""


def install(app: FastAPI) -> None:
    """Serve the web at every path that is not the api's."""

    @app.api_route("/{path:path}", methods=["GET", "HEAD"], include_in_schema=False)
    def web(path: str, request: Request) -> Response:
        if path == "api" or path.startswith("api/"):
            raise not_found("page of the api")
        file = _inside(path)
        if file is not None:
            return _file(file, request, immutable=path.startswith(f"{HASHED}/"))
        if path.startswith(f"{HASHED}/"):
            raise not_found("file")  # of an older build; the page must not get HTML for a script
        index = FOLDER / "index.html"
        if not index.is_file():
            return Response(NOT_BUILT, media_type="text/html", headers={"cache-control": "no-cache"})
        return _file(index, request, immutable=False)


def _inside(path: str) -> Path | None:
    """The built file at a path of the address, if there is one."""
    parts = path.split("/")
    if any(part in ("", ".", "..") or "\\" in part or ":" in part for part in parts) or path == "index.html":
        return None
    file = FOLDER.joinpath(*parts)
    return file if os.path.isfile(file) else None  # unlike Path.is_file, False for names that cannot be


def _file(file: Path, request: Request, *, immutable: bool) -> Response:
    stat = file.stat()
    etag = f'"{stat.st_mtime_ns:x}-{stat.st_size:x}"'
    headers = {
        "cache-control": "public, max-age=31536000, immutable" if immutable else "no-cache",
        "etag": etag,
        "vary": "Accept-Encoding",
    }
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    media_type = _media_type(file.name)
    wants_gzip = "gzip" in request.headers.get("accept-encoding", "")
    if wants_gzip and file.suffix in GZIPPED and stat.st_size >= GZIP_FROM_BYTES:
        headers["content-encoding"] = "gzip"
        return Response(_gzipped(file, stat.st_mtime_ns), media_type=media_type, headers=headers)
    return Response(file.read_bytes(), media_type=media_type, headers=headers)


@lru_cache(maxsize=64)
def _gzipped(file: Path, _modified_ns: int) -> bytes:
    return gzip.compress(file.read_bytes(), 6, mtime=0)


def _media_type(name: str) -> str:
    # Not left to the machine: Windows' registry may say that a script is plain text.
    known = {
        ".js": "text/javascript",
        ".css": "text/css",
        ".wasm": "application/wasm",
        ".svg": "image/svg+xml",
    }
    suffix = Path(name).suffix
    return known.get(suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
