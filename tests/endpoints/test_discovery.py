"""Discovery, keys, and what every path and method answers."""

import httpx2
import pytest
from joserfc.jwk import KeySet

from tests.endpoints.people import API, FILES
from tests.support.provider import RunningProvider
from tests.support.relying_party import RelyingParty

DOCUMENTS = ("/.well-known/openid-configuration", "/.well-known/oauth-authorization-server", "/jwks")


@pytest.mark.parametrize("path", DOCUMENTS)
def test_a_public_document_is_kept_by_caches_and_not_sent_twice(http: httpx2.Client, path: str) -> None:
    first = http.get(path)
    assert first.status_code == 200
    assert first.headers["content-type"] == "application/json"
    assert first.headers["cache-control"] == "public, max-age=300"
    assert first.headers["access-control-allow-origin"] == "*"
    again = http.get(path, headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    stale = http.get(path, headers={"if-none-match": '"another"'})
    assert stale.status_code == 200


def test_both_discovery_documents_say_the_same(http: httpx2.Client, provider: RunningProvider) -> None:
    openid, oauth = (http.get(path).json() for path in DOCUMENTS[:2])
    assert openid == oauth
    assert openid["issuer"] == provider.issuer
    assert openid["registration_endpoint"] == f"{provider.issuer}/register"


def test_discovery_is_true(http: httpx2.Client, provider: RunningProvider, party: RelyingParty) -> None:
    """Every endpoint it names exists, and what it lists is what the tables hold. Each member: test_discovery_truth."""
    provider.advance(6)  # a worker's registry of resources is at most five seconds stale
    document = http.get(DOCUMENTS[0]).json()
    for member, url in document.items():
        if member.endswith("_endpoint") or member == "jwks_uri":
            assert http.request("OPTIONS", url).status_code == 405, member
    assert document["protected_resources"] == sorted([API, FILES])
    assert {"openid", "offline_access", "notes:read", "files:read"} <= set(document["scopes_supported"])
    assert document["grant_types_supported"] == ["authorization_code", "refresh_token", "client_credentials"]
    assert document["code_challenge_methods_supported"] == ["S256"]


def test_the_keys_are_public_distinct_and_usable(http: httpx2.Client) -> None:
    document = http.get("/jwks").json()
    kids = [key["kid"] for key in document["keys"]]
    assert len(set(kids)) == len(kids)
    # The one of Ed25519 names no algorithm, for that one has two names.
    assert {(key["kty"], key.get("alg")) for key in document["keys"]} == {
        ("RSA", "RS256"), ("RSA", "PS256"), ("EC", "ES256"), ("OKP", None),
    }  # fmt: skip
    for key in document["keys"]:
        assert key["use"] == "sig"
        assert not key.keys() & {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}
    assert len(KeySet.import_key_set(document).keys) == len(kids)


@pytest.mark.parametrize("path", ["/", "/nothing", "/authorize/", "/Token", "/token/x", "//token", "/.well-known/"])
def test_an_unknown_path_is_not_found_and_never_redirected(http: httpx2.Client, path: str) -> None:
    for accept in ("application/json", "text/html"):
        answer = http.get(str(http.base_url).rstrip("/") + path, headers={"accept": accept})
        assert answer.status_code == 404
        assert answer.headers["content-type"].startswith(accept)
        assert "location" not in answer.headers


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("GET", "/token", "POST"),
        ("HEAD", "/token", "POST"),
        ("PUT", "/token", "POST"),
        ("DELETE", "/authorize", "GET, POST"),
        ("HEAD", "/authorize", "GET, POST"),
        ("HEAD", "/logout", "GET, POST"),
        ("PATCH", "/userinfo", "GET, HEAD, POST"),
        ("GET", "/register", "POST"),
        ("POST", "/jwks", "GET, HEAD"),
        ("TRACE", "/jwks", "GET, HEAD"),
    ],
)
def test_a_wrong_method_is_told_the_right_ones(http: httpx2.Client, method: str, path: str, allow: str) -> None:
    answer = http.request(method, path)
    assert answer.status_code == 405
    assert answer.headers["allow"] == allow


@pytest.mark.parametrize("path", [*DOCUMENTS, "/healthz", "/readyz"])
def test_head_answers_like_get_without_a_body(http: httpx2.Client, path: str) -> None:
    answer = http.head(path)
    assert (answer.status_code, answer.content) == (200, b"")
