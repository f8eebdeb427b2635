"""Subjects: by which name a client knows an account (OpenID Connect Core section 8).

A public subject is the account's id, the same for every client. A pairwise one is another for each sector, so that
relying parties cannot tell from it that they know the same person.
"""

from urllib.parse import urlsplit
from uuid import UUID

from watchword.protocol.base64url import encode_segment
from watchword.protocol.client import Client
from watchword.protocol.digests import join_fields, mac
from watchword.protocol.uris import LOOPBACK_HOSTS

# Client ids begin with `c_` and account ids hold no underscore, so that no pairwise subject is one of them (RFC 9700
# section 4.15: who acts for itself has its client id as `sub`).
PAIRWISE_PREFIX = "p_"
_LABEL = b"watchword pairwise subject"
_HOST, _CLIENT = b"host", b"client"


def pairwise_subject(secret: bytes, client: Client, account_id: UUID) -> str:
    """Return the subject of an account for the client's sector. One HMAC (OpenID Connect Core section 8.1).

    Nobody without the secret can compute it or find the account behind it. It is kept nowhere and made anew each time:
    with another secret every pairwise subject would change, so that one key never rotates.
    """
    kind, name = _sector(client)
    message = join_fields(_LABEL, kind, name.encode(), account_id.bytes)
    return PAIRWISE_PREFIX + encode_segment(mac(secret, message)).decode("ascii")


def _sector(client: Client) -> tuple[bytes, str]:
    """Return the sector: a host, whose port and scheme do not count, or the client where no one host stands for it.

    That is so for redirect URIs with private-use schemes and on loopback, which is every app's own; registration
    refuses several hosts without a `sector_identifier_uri`, whose document vouches for its clients.
    """
    if client.sector_identifier_uri:
        return _HOST, urlsplit(client.sector_identifier_uri).hostname or ""
    hosts = {urlsplit(uri).hostname for uri in client.redirect_uris}
    host = hosts.pop() if len(hosts) == 1 else None
    return (_CLIENT, client.id) if host is None or host in LOOPBACK_HOSTS else (_HOST, host)
