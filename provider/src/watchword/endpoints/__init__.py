"""One file per protocol endpoint. ENDPOINTS is the only list: routes, access and discovery all come from it."""

from watchword.endpoints import (
    authorize,
    clock,
    discovery,
    health,
    introspect,
    jwks,
    logout,
    metrics,
    register,
    registered_client,
    revoke,
    token,
    userinfo,
)
from watchword.web.endpoint import Access, CrossOrigin, Endpoint

_document = discovery.Discovery().answer

ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(
        "/authorize",
        {"GET": authorize.authorize, "POST": authorize.authorize_by_post},
        Access.PERSON,
        metadata="authorization_endpoint",
    ),
    Endpoint(
        "/token",
        {"POST": token.token},
        Access.CLIENT,
        metadata="token_endpoint",
        cross_origin=CrossOrigin.REGISTERED,
    ),
    Endpoint(
        "/userinfo",
        {"GET": userinfo.userinfo, "POST": userinfo.userinfo},
        Access.TOKEN,
        metadata="userinfo_endpoint",
        cross_origin=CrossOrigin.REGISTERED,
    ),
    Endpoint("/introspect", {"POST": introspect.introspect}, Access.CLIENT, metadata="introspection_endpoint"),
    Endpoint(
        "/revoke",
        {"POST": revoke.revoke},
        Access.CLIENT,
        metadata="revocation_endpoint",
        cross_origin=CrossOrigin.REGISTERED,
    ),
    Endpoint("/jwks", {"GET": jwks.jwks}, Access.PUBLIC, metadata="jwks_uri", cross_origin=CrossOrigin.ANYBODY),
    Endpoint("/.well-known/openid-configuration", {"GET": _document}, Access.PUBLIC, cross_origin=CrossOrigin.ANYBODY),
    Endpoint(
        "/.well-known/oauth-authorization-server", {"GET": _document}, Access.PUBLIC, cross_origin=CrossOrigin.ANYBODY
    ),
    Endpoint("/register", {"POST": register.register}, Access.PUBLIC, metadata="registration_endpoint"),
    Endpoint(
        "/register/*",
        {"GET": registered_client.show, "PUT": registered_client.replace, "DELETE": registered_client.remove},
        Access.CLIENT,
    ),
    Endpoint(
        "/logout", {"GET": logout.logout, "POST": logout.logout_by_post}, Access.PERSON, metadata="end_session_endpoint"
    ),
    Endpoint("/healthz", {"GET": health.alive}, Access.PUBLIC, any_host=True),
    Endpoint("/readyz", {"GET": health.ready}, Access.PUBLIC, any_host=True),
    Endpoint("/metrics", {"GET": metrics.show}, Access.OPERATOR, any_host=True),
    Endpoint("/dev/clock", {"POST": clock.advance}, Access.DEVELOPMENT),
)
