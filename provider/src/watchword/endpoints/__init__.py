"""One file per protocol endpoint. ENDPOINTS is the only list: routes, access and discovery all come from it."""

from watchword.endpoints import authorize, clock, discovery, health, jwks, logout, register, token, userinfo
from watchword.web.endpoint import Access, Endpoint

ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(
        "/authorize",
        {"GET": authorize.authorize, "POST": authorize.authorize_by_post},
        Access.PERSON,
        metadata="authorization_endpoint",
    ),
    Endpoint("/token", {"POST": token.token}, Access.CLIENT, metadata="token_endpoint"),
    Endpoint(
        "/userinfo",
        {"GET": userinfo.userinfo, "POST": userinfo.userinfo},
        Access.TOKEN,
        metadata="userinfo_endpoint",
    ),
    Endpoint("/jwks", {"GET": jwks.jwks}, Access.PUBLIC, metadata="jwks_uri"),
    Endpoint("/.well-known/openid-configuration", {"GET": discovery.discovery}, Access.PUBLIC),
    Endpoint("/.well-known/oauth-authorization-server", {"GET": discovery.discovery}, Access.PUBLIC),
    Endpoint("/register", {"POST": register.register}, Access.PUBLIC, metadata="registration_endpoint"),
    Endpoint(
        "/logout", {"GET": logout.logout, "POST": logout.logout_by_post}, Access.PERSON, metadata="end_session_endpoint"
    ),
    Endpoint("/healthz", {"GET": health.alive}, Access.PUBLIC),
    Endpoint("/readyz", {"GET": health.ready}, Access.PUBLIC),
    Endpoint("/dev/clock", {"POST": clock.advance}, Access.DEVELOPMENT),
)
