"""Whose clients know an account by the same pairwise subject (OpenID Connect Core section 8.1, Registration section 5).

A client that could join another one's sector would learn who is the same person, so the sector must vouch for it.
"""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from watchword.protocol.errors import InvalidClientMetadata
from watchword.protocol.uris import WEB_SCHEMES
from watchword.protocol.vocabulary import SubjectType


def check_one_sector(subject_type: SubjectType, sector_identifier_uri: str | None, uris: Iterable[str]) -> None:
    """Refuse pairwise subjects where the redirect URIs alone do not say for which sector.

    Raises:
        InvalidClientMetadata: there is not exactly one host, and no `sector_identifier_uri`.
    """
    if subject_type == "public" or sector_identifier_uri is not None:
        return
    parts = [urlsplit(uri) for uri in uris]
    hosts = {part.hostname if part.scheme in WEB_SCHEMES else None for part in parts}
    if len(hosts) != 1 or None in hosts:
        raise InvalidClientMetadata("Pairwise subjects need a sector_identifier_uri, or redirect URIs of one web host.")


def check_sector_document(document: Any, redirect_uris: Iterable[str]) -> None:
    """See that the sector names every redirect URI of a client.

    Args:
        document: the JSON found at `sector_identifier_uri`.
        redirect_uris: what the client registers.

    Raises:
        InvalidClientMetadata: it is no array of strings, or leaves a redirect URI out.
    """
    if not isinstance(document, list) or not all(isinstance(uri, str) for uri in document):
        raise InvalidClientMetadata("sector_identifier_uri must lead to a JSON array of redirect URIs.")
    if not set(redirect_uris) <= set(document):
        raise InvalidClientMetadata("sector_identifier_uri leads to an array that lacks a redirect URI.")
