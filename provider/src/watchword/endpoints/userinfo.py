"""UserInfo (OpenID Connect Core section 5.3): what a token's scopes show about its person."""

from watchword.database import accounts
from watchword.protocol.claims import userinfo_claims
from watchword.protocol.errors import InsufficientScope, InvalidRequest, InvalidToken, MissingToken
from watchword.tokens import verify_access_token
from watchword.web.answers import json_answer
from watchword.web.exchange import FORM, Exchange
from watchword.web.wire import Answer


async def userinfo(exchange: Exchange) -> Answer:
    """Answer the claims of a live token. One joined statement and one verification, no signature.

    Any live token of this issuer with scope `openid` is good, whatever its audience; its grant and its account are
    read each time, so that a sign-out or a disabled account shows at once.
    """
    services = exchange.services
    verified = verify_access_token(services, await _bearer_token(exchange))
    scopes = str(verified.claims.get("scope", "")).split()
    if "openid" not in scopes:
        raise InsufficientScope("The token needs the scope openid.", scope="openid")
    grant_id = verified.claims.get("gid")
    known = await accounts.claims_of_grant(services.database, grant_id) if isinstance(grant_id, str) else None
    if known is None:
        raise InvalidToken("The token is expired, or its session or grant is over.", detail="grant or account is over")
    return json_answer(userinfo_claims(subject=verified.claims["sub"], scopes=scopes, known=known))


async def _bearer_token(exchange: Exchange) -> str:
    """Read the token from the header, or from the body of a POST (RFC 6750 section 2); never from the query."""
    headers = exchange.headers.getlist("authorization")
    in_body = None
    if exchange.method == "POST" and exchange.media_type == FORM:
        form = await exchange.form()
        form.check_no_duplicates()
        in_body = form.get("access_token")
    if len(headers) + (in_body is not None) > 1:
        raise InvalidRequest("Send the token once, in one way.")
    if in_body is not None:
        return in_body
    if not headers:
        raise MissingToken("Send an access token.")
    scheme, _, token = headers[0].partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise MissingToken("Send an access token as Bearer.")
    return token.strip()
