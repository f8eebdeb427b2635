"""Reading a token's claims: the way a curious bystander would, without verifying anything, or as a relying party."""

import base64
import json
import warnings
from typing import Any

import httpx2
from joserfc import jwt
from joserfc.errors import SecurityWarning
from joserfc.jwk import KeySet


def header_of(token: str) -> dict[str, Any]:
    """Return the header of a compact JWS."""
    return _part(token, 0)


def claims_of(token: str) -> dict[str, Any]:
    """Return the payload of a compact JWS."""
    return _part(token, 1)


def verified(http: httpx2.Client, token: str, algorithm: str) -> dict[str, Any]:
    """Return the payload after an independent implementation verified the signature with the published keys."""
    keys = KeySet.import_key_set(http.get("/jwks").json())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SecurityWarning)  # of the older name of Ed25519
        return jwt.decode(token, keys, algorithms=[algorithm]).claims


def _part(token: str, position: int) -> dict[str, Any]:
    text = token.split(".")[position]
    content: dict[str, Any] = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return content
