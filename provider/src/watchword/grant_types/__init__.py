"""Grant types: each fills the one hole that differs between token requests, and never sees the shared steps.

A grant type is a file here and a line in GRANT_TYPES; discovery follows.
"""

from collections.abc import Awaitable, Callable, Mapping

from watchword.grant_types.authorization_code import redeem_authorization_code
from watchword.grant_types.client_credentials import authorize_client
from watchword.grant_types.exchange import TokenRequest
from watchword.grant_types.refresh_token import refresh
from watchword.services import Services
from watchword.tokens import Authorization

GrantType = Callable[[Services, TokenRequest], Awaitable[Authorization]]

GRANT_TYPES: Mapping[str, GrantType] = {
    "authorization_code": redeem_authorization_code,
    "refresh_token": refresh,
    "client_credentials": authorize_client,
}

__all__ = ["GRANT_TYPES", "GrantType", "TokenRequest"]
