"""Tags: keyed digests that stand for an identifier or a network in limits and budgets.

Who reads the stores learns nobody's address from them, and cannot try addresses either: the key is in the database
under the key-encryption key.
"""

from watchword.accounts import Identifier
from watchword.protocol.base64url import encode_segment
from watchword.protocol.digests import join_fields, mac
from watchword.services import Services

_BYTES = 16


def tag(secret: bytes, purpose: str, kind: str, value: str) -> bytes:
    """Return 128 bits of HMAC-SHA-256: nothing that differs in purpose, kind or value shares them."""
    fields = join_fields(purpose.encode(), kind.encode(), value.encode())
    return mac(secret, fields)[:_BYTES]


def budget_tag(services: Services, identifier: Identifier) -> bytes:
    """Return what the budget of guesses of an identifier is kept under, however it was written."""
    return tag(services.keyring.identifier.secret, "guesses", identifier.kind, identifier.value)


def rate_key(services: Services, purpose: str, kind: str, value: str) -> str:
    """Return the key of a rate."""
    return encode_segment(tag(services.keyring.identifier.secret, purpose, kind, value)).decode("ascii")


def mailbox_of(identifier: Identifier) -> str:
    """Return what most probably is one mailbox, so that it is not flooded under its many spellings.

    Only rates use it: many hosts drop dots and what follows a plus, others do not, so for whom an account is the
    canonical identifier counts.
    """
    if identifier.kind != "email":
        return identifier.value
    local, _, domain = identifier.value.rpartition("@")
    return f"{local.partition('+')[0].replace('.', '') or local}@{domain}"
