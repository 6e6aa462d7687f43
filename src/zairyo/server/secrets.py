"""Secrets that programs and browsers show: tokens, session cookies and pairing codes. Only their SHA-256 is kept."""

from __future__ import annotations

import hashlib
import secrets

TOKEN_PREFIX = "zry_"  # noqa: S105  # lets a person and a scanner of leaked secrets see what it is
#: Without 0 O 1 I L U V: a code is read from a screen and typed at an instrument.
PAIRING_ALPHABET = "23456789ABCDEFGHJKMNPQRSTWXYZ"
PAIRING_LETTERS = 8
PAIRING_MINUTES = 15


def new_token() -> str:
    """A token's text, with 256 random bits."""
    return TOKEN_PREFIX + secrets.token_urlsafe(32)


def new_session_secret() -> str:
    """What a session's cookie holds."""
    return secrets.token_urlsafe(32)


def new_pairing_code() -> str:
    """A code such as ``7KQX-M3TZ``, 38 random bits: enough for 15 minutes behind a rate limit."""
    letters = "".join(secrets.choice(PAIRING_ALPHABET) for _ in range(PAIRING_LETTERS))
    return f"{letters[:4]}-{letters[4:]}"


def normal_pairing_code(typed: str) -> str:
    """A code as it was made, from how a person typed it: lower case, with spaces, without the dash."""
    letters = "".join(c for c in typed.upper() if c.isalnum())
    return f"{letters[:4]}-{letters[4:]}"


def sha256(secret: str) -> str:
    """How a secret is kept. It is random and long, so that a slow hash would protect nothing."""
    return hashlib.sha256(secret.encode()).hexdigest()
