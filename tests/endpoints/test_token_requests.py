"""/token: requests that never get as far as a grant."""

import base64
from typing import Any

import httpx2
import pytest

from tests.endpoints.people import a_code
from tests.endpoints.refusal import check_refusal
from tests.support.provider import RunningProvider
from tests.support.relying_party import REDIRECT_URI, RelyingParty

FORM = {"content-type": "application/x-www-form-urlencoded"}


def basic(client_id: str, secret: str | None) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()}


MALFORMED: list[tuple[str, dict[str, Any], int]] = [
    ("nothing at all", {"content": b""}, 400),
    ("JSON", {"json": {"grant_type": "refresh_token"}}, 400),
    ("a multipart form", {"files": {"grant_type": b"x"}}, 400),
    ("text", {"content": b"grant_type=refresh_token", "headers": {"content-type": "text/plain"}}, 400),
    ("bytes that are not UTF-8", {"content": b"grant_type=%ff", "headers": FORM}, 400),
    ("raw bytes outside ASCII", {"content": b"grant_type=\xff", "headers": FORM}, 400),
    ("a NUL", {"content": b"grant_type=%00", "headers": FORM}, 400),
    ("65 parameters", {"content": "&".join(f"p{n}=1" for n in range(65)), "headers": FORM}, 400),
    ("a parameter twice", {"content": b"grant_type=a&grant_type=a", "headers": FORM}, 400),
    ("an empty parameter twice", {"content": b"grant_type=&grant_type=a", "headers": FORM}, 400),
    ("an unknown parameter twice", {"content": b"x=1&x=2", "headers": FORM}, 400),
    ("a form beyond 32 kilobytes", {"content": b"a=" + b"x" * 32767, "headers": FORM}, 413),
]


@pytest.mark.parametrize(("sent", "status"), [row[1:] for row in MALFORMED], ids=[row[0] for row in MALFORMED])
def test_a_malformed_request_is_refused(http: httpx2.Client, sent: dict[str, Any], status: int) -> None:
    check_refusal(http.post("/token", **sent), status, "invalid_request")


def test_a_form_of_unknown_length_is_measured_while_it_arrives(http: httpx2.Client) -> None:
    answer = http.post("/token", content=iter([b"a="] + [b"x" * 1024] * 40), headers=FORM)
    check_refusal(answer, 413, "invalid_request")


def test_a_form_of_exactly_32_kilobytes_is_read(http: httpx2.Client) -> None:
    answer = http.post("/token", content=b"a=" + b"x" * 32766, headers=FORM)
    check_refusal(answer, 401, "invalid_client")


def test_a_content_type_may_name_a_charset_in_any_case(http: httpx2.Client) -> None:
    headers = {"content-type": "Application/X-WWW-Form-Urlencoded; charset=UTF-8"}
    check_refusal(http.post("/token", content=b"grant_type=x", headers=headers), 401, "invalid_client")


def test_a_client_nobody_knows_is_refused_like_a_wrong_secret(http: httpx2.Client, party: RelyingParty) -> None:
    form = {"grant_type": "client_credentials"}
    said = set()
    for headers in (basic("c_nobody", "x"), basic(party.client_id, "x"), basic(party.client_id, "")):
        answer = http.post("/token", data=form, headers=headers)
        check_refusal(answer, 401, "invalid_client")
        assert answer.headers["www-authenticate"] == 'Basic realm="watchword"'
        said.add(answer.text)
    assert len(said) == 1


def test_only_who_used_the_header_is_challenged(http: httpx2.Client, party: RelyingParty) -> None:
    for form in (
        {"grant_type": "client_credentials"},
        {"grant_type": "client_credentials", "client_id": "c_nobody"},
        {"grant_type": "client_credentials", "client_id": party.client_id},
        {"grant_type": "client_credentials", "client_id": party.client_id, "client_secret": "x"},
        {"grant_type": "client_credentials", "client_id": party.client_id, "client_assertion": "x.y.z"},
    ):
        answer = http.post("/token", data=form)
        check_refusal(answer, 401, "invalid_client")
        assert "www-authenticate" not in answer.headers


@pytest.mark.parametrize("header", ["Bearer abc", "Basic", "Basic !!!", "Basic " + base64.b64encode(b"x").decode()])
def test_a_header_that_is_not_http_basic_is_challenged(http: httpx2.Client, header: str) -> None:
    answer = http.post("/token", data={"grant_type": "x"}, headers={"authorization": header})
    check_refusal(answer, 401, "invalid_client")
    assert answer.headers["www-authenticate"].startswith("Basic")


def test_a_client_that_registered_the_header_may_send_its_secret_in_the_form(
    http: httpx2.Client, party: RelyingParty
) -> None:
    form = {"grant_type": "refresh_token", "refresh_token": "x", "client_id": party.client_id}
    check_refusal(http.post("/token", data=form | {"client_secret": party.secret}), 400, "invalid_grant")
    check_refusal(http.post("/token", data=form | {"client_secret": "wrong"}), 401, "invalid_client")
    check_refusal(http.post("/token", data=form), 401, "invalid_client")


def test_a_public_client_cannot_authenticate(http: httpx2.Client, public: RelyingParty) -> None:
    form = {"grant_type": "refresh_token", "client_id": public.client_id, "client_secret": "anything"}
    check_refusal(http.post("/token", data=form), 401, "invalid_client")


def test_two_ways_at_once_are_refused(http: httpx2.Client, party: RelyingParty) -> None:
    header = basic(party.client_id, party.secret)
    for form in ({"client_secret": party.secret}, {"client_id": "c_other"}, {"client_assertion": "x"}):
        answer = http.post("/token", data={"grant_type": "client_credentials"} | form, headers=header)
        check_refusal(answer, 400, "invalid_request")
    twice = [("authorization", header["authorization"])] * 2
    answer = http.post("/token", data={"grant_type": "client_credentials"}, headers=twice)
    check_refusal(answer, 400, "invalid_request")


async def test_grant_types_are_known_and_registered(party: RelyingParty, machine: RelyingParty) -> None:
    check_refusal(await party.token(), 400, "invalid_request")
    for grant_type in ("password", "implicit", "urn:ietf:params:oauth:grant-type:jwt-bearer", "REFRESH_TOKEN"):
        check_refusal(await party.token(grant_type=grant_type), 400, "unsupported_grant_type")
    check_refusal(await party.token(grant_type="client_credentials"), 400, "unauthorized_client")
    check_refusal(await machine.token(grant_type="authorization_code", code="x"), 400, "unauthorized_client")


async def test_each_grant_type_names_what_is_missing(party: RelyingParty) -> None:
    for grant_type, missing in (("authorization_code", "code"), ("refresh_token", "refresh_token")):
        answer = await party.token(grant_type=grant_type)
        check_refusal(answer, 400, "invalid_request")
        assert f"parameter {missing} is missing" in answer.json()["error_description"]


async def test_a_client_that_posts_its_secret_is_served(provider: RunningProvider, http: httpx2.Client) -> None:
    metadata = {"redirect_uris": [REDIRECT_URI], "token_endpoint_auth_method": "client_secret_post"}
    client = http.post("/register", json=metadata).json()
    party = RelyingParty(provider, client["client_id"])
    code = await a_code(party)
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": REDIRECT_URI,
        "code_verifier": party.verifier,
        "client_id": client["client_id"],
        "client_secret": client["client_secret"],
    }
    check_refusal(http.post("/token", data=form, headers=basic(client["client_id"], "x")), 400, "invalid_request")
    assert http.post("/token", data=form).status_code == 200
