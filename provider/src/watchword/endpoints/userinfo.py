"""UserInfo (OpenID Connect Core section 5.3): what a token's scopes show about its person."""

from collections.abc import Mapping
from typing import Any

from watchword.database import accounts
from watchword.protocol.claims import userinfo_claims
from watchword.protocol.claims_request import read_claims_request
from watchword.protocol.errors import InsufficientScope, InvalidRequest, InvalidToken
from watchword.services import Services
from watchword.tokens import sign_userinfo, verify_access_token
from watchword.web.answers import file_answer, json_answer
from watchword.web.bearer import bearer_token
from watchword.web.exchange import FORM, Exchange
from watchword.web.wire import Answer

_NO_STORE = {"cache-control": "no-store", "pragma": "no-cache"}


async def userinfo(exchange: Exchange) -> Answer:
    """Answer the claims of a live token. One joined statement and one verification.

    Any live token of this issuer with scope `openid` is good, whatever its audience; its grant and its account are
    read each time, so that a sign-out or a disabled account shows at once. A client that registered
    `userinfo_signed_response_alg` costs one signature more, and two statements while it is not in memory.

    Raises:
        MissingToken: there is no access token.
        InvalidRequest: there are several.
        InvalidToken: it is not ours, expired, revoked, or what stands behind it is over.
        InsufficientScope: it has not the scope `openid`.
    """
    services = exchange.services
    token = verify_access_token(services, await _access_token(exchange)).claims
    scopes = str(token.get("scope", "")).split()
    if "openid" not in scopes:
        raise InsufficientScope("The token needs the scope openid.", scope="openid")
    grant_id = token.get("gid")
    facts = None
    if isinstance(grant_id, str):
        facts = await accounts.behind_token(services.database, grant_id, jti=token["jti"])
    if facts is None:
        raise InvalidToken("The token is expired or revoked, or its session or grant is over.", detail="over")
    asked = read_claims_request(facts.asked).userinfo
    told = userinfo_claims(subject=token["sub"], scopes=scopes, asked=asked, known=facts.known)
    return await _signed(services, token["client_id"], told) if facts.signs else json_answer(told)


async def _signed(services: Services, client_id: str, told: Mapping[str, Any]) -> Answer:
    """Sign the answer if the client registered that; what the request accepts does not matter (section 5.3.2)."""
    client = await services.registry.client(client_id)
    if client is None or client.userinfo_signed_response_alg is None:
        return json_answer(told)
    signed = sign_userinfo(services, client, told, client.userinfo_signed_response_alg)
    return file_answer(signed.encode(), media_type="application/jwt", headers=_NO_STORE)


async def _access_token(exchange: Exchange) -> str:
    """Read the token from the header, or from the body of a POST (RFC 6750 section 2); never from the query."""
    if exchange.method != "POST" or exchange.media_type != FORM:
        return bearer_token(exchange)
    form = await exchange.form()
    form.check_no_duplicates()
    in_body = form.get("access_token")
    if in_body is None:
        return bearer_token(exchange)
    if exchange.headers.getlist("authorization"):
        raise InvalidRequest("Send the token once, in one way.")
    return in_body
