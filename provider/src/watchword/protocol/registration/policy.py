"""What an operator lets a client be that comes with an initial access token (RFC 7591 section 1.2)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from watchword.protocol.client import Client
from watchword.protocol.errors import InvalidRedirectUri
from watchword.protocol.resource import is_scope_token
from watchword.protocol.uris import WEB_SCHEMES
from watchword.protocol.vocabulary import OPENID_SCOPES

_HOST = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\Z|[0-9a-f:.]*:[0-9a-f:.]*\Z")


@dataclass(frozen=True, slots=True)
class RegistrationPolicy:
    """The bounds of a client for as long as it is registered.

    `scopes` are what it may ask for. `redirect_hosts` are the only hosts that its redirect URIs may have; none named,
    any host may be.
    """

    scopes: frozenset[str] = OPENID_SCOPES
    redirect_hosts: frozenset[str] = frozenset()


def parse_policy(scopes: Iterable[str], redirect_hosts: Iterable[str]) -> RegistrationPolicy:
    """Read an operator's words; no scope named, OpenID's are meant.

    Raises:
        ValueError: a scope is no scope token (RFC 6749 section 3.3), or a host is no plain name or address.
    """
    named, hosts = frozenset(scopes), frozenset(host.lower().strip("[]") for host in redirect_hosts)
    for scope in sorted(named):
        if not is_scope_token(scope):
            raise ValueError(f"the scope {scope!r} must be printable ASCII without spaces, quotes and backslashes")
    for host in sorted(hosts):
        if not _HOST.match(host):
            raise ValueError(f"the redirect host {host!r} must be a plain name or address, without scheme and port")
    return RegistrationPolicy(named or OPENID_SCOPES, hosts)


def check_policy(client: Client, policy: RegistrationPolicy) -> None:
    """Refuse redirect URIs beyond a policy. Scopes beyond it were never given.

    Raises:
        InvalidRedirectUri: a URI's host is not among those of the policy; a private-use scheme has none.
    """
    if not policy.redirect_hosts:
        return
    for uri in (*client.redirect_uris, *client.post_logout_redirect_uris):
        parts = urlsplit(uri)
        if parts.scheme not in WEB_SCHEMES or parts.hostname not in policy.redirect_hosts:
            raise InvalidRedirectUri("The initial access token does not allow a redirect URI of this host.")
