"""Client metadata as registered (RFC 7591 section 2), checked strictly.

Unknown members are ignored, except those that ask for a protection we do not give: a client would rely on it. A member
that is null counts as left out (RFC 7592 section 2.2).
"""

from watchword.protocol.registration.metadata import client_metadata, parse_client_metadata, stored_client
from watchword.protocol.registration.policy import RegistrationPolicy, check_policy, parse_policy
from watchword.protocol.registration.redirect_uris import MAX_REDIRECT_URIS, check_redirect_uri, redirect_places
from watchword.protocol.registration.sector import check_sector_document
from watchword.protocol.resource import LONGEST_LIFETIME, SHORTEST_LIFETIME, parse_resource

__all__ = [
    "LONGEST_LIFETIME",
    "MAX_REDIRECT_URIS",
    "SHORTEST_LIFETIME",
    "RegistrationPolicy",
    "check_policy",
    "check_redirect_uri",
    "check_sector_document",
    "client_metadata",
    "parse_client_metadata",
    "parse_policy",
    "parse_resource",
    "redirect_places",
    "stored_client",
]
