"""Around every request: headers that keep a browser from being used against its user, and a limit on bodies."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from zairyo.server.api.problems import Problem

#: The page's own scripts only; H5Web sets styles inline, draws from blobs and may start workers and WebAssembly.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'wasm-unsafe-eval'",
        "worker-src 'self' blob:",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
SECURITY_HEADERS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}
#: A JSON body; files come through uploads, which have a limit of their own.
MOST_BODY_BYTES = 1024 * 1024


class SecurityHeaders:
    """Adds :data:`SECURITY_HEADERS` to every answer that does not say otherwise itself."""

    def __init__(self, app: ASGIApp, *, secure: bool) -> None:
        self.app = app
        headers = dict(SECURITY_HEADERS)
        if secure:
            headers["strict-transport-security"] = "max-age=31536000"
        self.pages = [(name.encode(), value.encode()) for name, value in headers.items()]
        self.api = [*self.pages, (b"cache-control", b"no-store")]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        ours = self.api if scope["path"].startswith("/api/") else self.pages

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = list(message.get("headers", ()))
                said = {name.lower() for name, _ in headers}
                message["headers"] = headers + [header for header in ours if header[0] not in said]
            await send(message)

        await self.app(scope, receive, with_headers)


class BodyLimit:
    """Refuses bodies over :data:`MOST_BODY_BYTES` before they fill the memory, except at paths of uploads."""

    def __init__(self, app: ASGIApp, *, unlimited: str) -> None:
        self.app, self.unlimited = app, unlimited

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http" or scope["path"].startswith(self.unlimited):
            await self.app(scope, receive, send)
            return
        said = Headers(scope=scope).get("content-length", "0")
        if said.isdigit() and int(said) > MOST_BODY_BYTES:
            answer = Problem(413, "too_large", f"The body has {said} bytes; it may have {MOST_BODY_BYTES}.")
            await answer.response()(scope, receive, send)
            return
        came = 0

        async def counted() -> Message:
            nonlocal came
            message = await receive()
            came += len(message.get("body", b""))
            if came > MOST_BODY_BYTES:
                raise HTTPException(413, f"The body has more than the {MOST_BODY_BYTES} bytes it may have.")
            return message

        await self.app(scope, counted, send)
