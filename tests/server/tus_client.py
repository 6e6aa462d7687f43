"""What the tests of intake share: uploads as a client of tus sends them."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import httpx

UPLOADS = "/api/v1/uploads"
BODY = {"Content-Type": "application/offset+octet-stream"}
TUS = {"Tus-Resumable": "1.0.0"}


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def metadata(**values: object) -> str:
    return ",".join(
        f"{key} {base64.b64encode(str(value).encode()).decode()}" for key, value in values.items()
    )


def checksum(data: bytes) -> dict[str, str]:
    return {"Upload-Checksum": f"sha256 {base64.b64encode(hashlib.sha256(data).digest()).decode()}"}


def creation(data: bytes, filename: str, /, **more: object) -> dict[str, str]:
    """Headers of a creation of ``data``."""
    values = {"filename": filename, "sha256": sha256(data), **more}
    return {**TUS, "Upload-Length": str(len(data)), "Upload-Metadata": metadata(**values)}


def send_whole(client: httpx.Client, data: bytes, filename: str, /, **more: object) -> httpx.Response:
    """Creation with all of the file in its body."""
    return client.post(UPLOADS, content=data, headers={**creation(data, filename, **more), **BODY})


def create(client: httpx.Client, data: bytes, filename: str, /, **more: object) -> str:
    """Begin an upload of ``data`` without sending any of it; its address."""
    answer = client.post(UPLOADS, headers=creation(data, filename, **more))
    assert answer.status_code == 201, answer.text
    return str(answer.headers["Location"])


def patch(client: httpx.Client, url: str, offset: int, data: Any, **headers: str) -> httpx.Response:
    return client.patch(url, content=data, headers={**TUS, **BODY, "Upload-Offset": str(offset), **headers})


def head(client: httpx.Client, url: str) -> httpx.Response:
    return client.head(url, headers=TUS)


def receipt(answer: httpx.Response) -> dict[str, Any]:
    assert "Zairyo-Receipt" in answer.headers, (answer.status_code, answer.text)
    found: dict[str, Any] = json.loads(answer.headers["Zairyo-Receipt"])
    return found
