"""The one dispatcher of interactions, as a table."""

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from tests.protocol.builders import ACCOUNT, API, NOW, a_client, a_request, a_session
from watchword.protocol.authorization_request import asked_words
from watchword.protocol.interaction import (
    AskConsent,
    Consent,
    Issue,
    Login,
    NextStep,
    Progress,
    Reject,
    SelectAccount,
    Session,
    Visitor,
    next_step,
)

OURS = a_client(first_party=True)
THEIRS = a_client()
SECOND = timedelta(seconds=1)
AGREED = Consent.to({"openid", "email"})
MERE_OPENID = Consent.to({"openid"})
LOW, HIGH = "urn:x:low", "urn:x:high"

# When the interaction began, relative to a session that is five minutes old.
BEFORE = Progress(NOW - timedelta(minutes=6))
AFTER = Progress(NOW - timedelta(minutes=1))


def decide(
    parameters: dict[str, Any],
    session: Session | None,
    *,
    client: Any = OURS,
    progress: Progress = AFTER,
    remembered: Consent = Consent(),  # noqa: B008 - a frozen value
    hint: str | None = None,
    acr: str | None = LOW,
) -> NextStep:
    visitor = None if session is None else Visitor(session, str(session.account_id), acr, remembered)
    return next_step(
        a_request(client, **parameters),
        visitor,
        progress=progress,
        hinted_subject=hint,
        acr_values=(LOW, HIGH),
        now=NOW,
    )


def name(step: NextStep) -> str:
    return step.error.error if isinstance(step, Reject) else type(step).__name__


S = a_session()
SOMEBODY_ELSE = str(UUID(int=9))

SIGNED_IN = [
    # prompt, max_age, session, interaction began, hint -> what comes next
    (None, None, None, AFTER, None, "Login"),
    (None, None, S, AFTER, None, "Issue"),
    ("none", None, None, AFTER, None, "login_required"),
    ("none", None, S, AFTER, None, "Issue"),
    ("login", None, None, AFTER, None, "Login"),
    ("login", None, S, AFTER, None, "Login"),
    ("login", None, S, BEFORE, None, "Issue"),
    ("select_account", None, None, AFTER, None, "Login"),
    ("select_account", None, S, AFTER, None, "SelectAccount"),
    ("select_account", None, S, BEFORE, None, "Issue"),
    ("select_account login", None, S, AFTER, None, "Login"),
    ("select_account", "299", S, AFTER, None, "Login"),
    ("select_account", None, S, AFTER, SOMEBODY_ELSE, "Login"),
    ("select_account consent", None, S, AFTER, None, "SelectAccount"),
    ("select_account consent", None, S, BEFORE, None, "AskConsent"),
    ("create", None, None, AFTER, None, "Login"),
    ("create", None, S, AFTER, None, "Login"),
    ("create", None, S, BEFORE, None, "Issue"),
    ("create login consent", None, S, BEFORE, None, "AskConsent"),
    ("login consent", None, S, AFTER, None, "Login"),
    ("login consent", None, S, BEFORE, None, "AskConsent"),
    ("consent", None, S, AFTER, None, "AskConsent"),
    ("consent", None, None, AFTER, None, "Login"),
    (None, "0", S, AFTER, None, "Login"),
    (None, "299", S, AFTER, None, "Login"),
    (None, "300", S, AFTER, None, "Issue"),
    (None, "10000", S, AFTER, None, "Issue"),
    (None, "0", S, BEFORE, None, "Issue"),
    ("none", "299", S, AFTER, None, "login_required"),
    ("none", "300", S, AFTER, None, "Issue"),
    ("login", "10000", S, AFTER, None, "Login"),
    (None, None, S, AFTER, str(ACCOUNT), "Issue"),
    (None, None, S, AFTER, SOMEBODY_ELSE, "Login"),
    ("none", None, S, AFTER, str(ACCOUNT), "Issue"),
    ("none", None, S, AFTER, SOMEBODY_ELSE, "login_required"),
    ("none", None, None, AFTER, SOMEBODY_ELSE, "login_required"),
    ("login", None, S, BEFORE, SOMEBODY_ELSE, "login_required"),
    (None, None, S, BEFORE, SOMEBODY_ELSE, "login_required"),
]


@pytest.mark.parametrize(("prompt", "max_age", "session", "progress", "hint", "expected"), SIGNED_IN)
def test_who_must_sign_in(
    prompt: str | None, max_age: str | None, session: Session | None, progress: Progress, hint: str | None,
    expected: str,
) -> None:  # fmt: skip
    step = decide({"prompt": prompt, "max_age": max_age}, session, progress=progress, hint=hint)
    assert name(step) == expected


CONSENT = [
    # client, prompt, remembered, consented in this interaction -> what comes next
    (OURS, None, Consent(), None, "Issue"),
    (OURS, "consent", AGREED, None, "AskConsent"),
    (OURS, "consent", Consent(), AGREED, "Issue"),
    (THEIRS, None, Consent(), None, "AskConsent"),
    (THEIRS, None, MERE_OPENID, None, "AskConsent"),
    (THEIRS, None, AGREED, None, "Issue"),
    (THEIRS, None, Consent(), AGREED, "AskConsent"),  # it was taken back meanwhile
    (THEIRS, None, AGREED, AGREED, "Issue"),
    (THEIRS, None, Consent(), MERE_OPENID, "AskConsent"),
    (THEIRS, "consent", AGREED, None, "AskConsent"),
    (THEIRS, "consent", AGREED, MERE_OPENID, "AskConsent"),
    (THEIRS, "consent", Consent(), AGREED, "AskConsent"),
    (THEIRS, "consent", AGREED, AGREED, "Issue"),
    (THEIRS, "none", Consent(), None, "consent_required"),
    (THEIRS, "none", AGREED, None, "Issue"),
]


@pytest.mark.parametrize(("client", "prompt", "remembered", "consented", "expected"), CONSENT)
def test_who_must_agree(
    client: Any, prompt: str | None, remembered: Consent, consented: Consent | None, expected: str
) -> None:
    progress = Progress(AFTER.started_at, consented=consented, consented_by=ACCOUNT)
    step = decide({"prompt": prompt}, S, client=client, progress=progress, remembered=remembered)
    assert name(step) == expected


def test_consent_is_given_for_each_resource() -> None:
    scopes = frozenset({"openid", "notes:read"})
    client = a_client(scopes=scopes)
    request = a_request(client, ("resource", API.audience), scope="openid notes:read")
    without, with_it = Consent.to(scopes), Consent.to(scopes, {API.audience})
    for remembered, expected in ((without, AskConsent), (with_it, Issue)):
        visitor = Visitor(S, str(ACCOUNT), remembered=remembered)
        step = next_step(request, visitor, progress=AFTER, hinted_subject=None, acr_values=(), now=NOW)
        assert type(step) is expected


@pytest.mark.parametrize("session", [None, S])
@pytest.mark.parametrize("prompt", [None, "none", "login", "consent"])
def test_who_cancelled_is_never_asked_again(session: Session | None, prompt: str | None) -> None:
    step = decide({"prompt": prompt}, session, progress=Progress(NOW, cancelled=True))
    assert name(step) == "access_denied"


def test_a_sign_in_at_the_very_start_of_the_interaction_does_not_satisfy_prompt_login() -> None:
    began = Progress(S.auth_time)
    assert decide({"prompt": "login"}, S, progress=began) == Login()
    later = Progress(S.auth_time - timedelta(microseconds=1))
    assert decide({"prompt": "login"}, S, progress=later) == Issue(S)


def test_max_age_counts_to_the_second() -> None:
    session = a_session(age=60 * SECOND + timedelta(microseconds=1))
    assert decide({"max_age": "60"}, session) == Login()
    assert decide({"max_age": "60"}, a_session(age=60 * SECOND)) == Issue(a_session(age=60 * SECOND))


def test_a_clients_default_max_age_counts_like_its_own() -> None:
    client = a_client(first_party=True, default_max_age=299)
    assert decide({}, S, client=client) == Login()
    assert decide({"max_age": "301"}, S, client=client) == Issue(S)


def test_a_yes_at_one_resource_is_no_yes_at_another() -> None:
    yes = Consent.to({"openid", "read", "write"}, {"https://a.example"}).scopes
    other = Consent.to({"openid", "read"}, {"https://b.example"}).scopes
    both = Consent({**other, **yes})
    assert both.covers({"openid", "write"}, {"https://a.example"})
    assert not both.covers({"openid", "write"}, {"https://b.example"})
    assert not both.covers({"openid", "read"}, {"https://a.example", "https://c.example"})
    assert both.covers({"openid"}, ())
    assert not both.covers({"read"}, ())


def test_a_yes_counts_for_the_account_that_said_it() -> None:
    progress = Progress(AFTER.started_at, consented=AGREED, consented_by=UUID(int=9))
    step = decide({"prompt": "consent"}, S, client=THEIRS, progress=progress, remembered=AGREED)
    assert name(step) == "AskConsent"


def test_who_chose_to_go_on_is_not_asked_again_and_who_chose_another_signs_in() -> None:
    chose = Progress(AFTER.started_at, selected=ACCOUNT)
    assert decide({"prompt": "select_account"}, S, progress=chose) == Issue(S)
    other = Progress(AFTER.started_at, selected=UUID(int=9))
    assert decide({"prompt": "select_account"}, S, progress=other) == SelectAccount()
    another = Progress(AFTER.started_at, another=True)
    assert decide({"prompt": "select_account"}, S, progress=another) == Login()
    assert decide({"prompt": "select_account"}, S, progress=Progress(BEFORE.started_at, another=True)) == Issue(S)


def claims(**members: Any) -> str:
    return json.dumps(members)


ACR = [
    # what the request says, the acr of a sign-in, when it began -> what comes next
    ({"acr_values": LOW}, LOW, AFTER, "Issue"),
    ({"acr_values": HIGH}, LOW, AFTER, "Login"),
    ({"acr_values": f"{HIGH} {LOW}"}, LOW, AFTER, "Issue"),
    ({"acr_values": "1 2"}, LOW, AFTER, "Issue"),
    ({"acr_values": f"1 {HIGH}"}, LOW, AFTER, "Login"),
    ({"acr_values": HIGH}, LOW, BEFORE, "Issue"),
    ({"acr_values": HIGH}, HIGH, AFTER, "Issue"),
    ({"acr_values": HIGH, "prompt": "none"}, LOW, AFTER, "Issue"),
    ({"acr_values": HIGH}, None, AFTER, "Login"),
    ({"claims": claims(id_token={"acr": {"values": [HIGH]}})}, LOW, AFTER, "Login"),
    ({"claims": claims(id_token={"acr": {"values": [HIGH]}})}, LOW, BEFORE, "Issue"),
    ({"claims": claims(id_token={"acr": {"essential": True}})}, LOW, AFTER, "Issue"),
    ({"claims": claims(id_token={"acr": {"essential": True, "value": HIGH}})}, LOW, AFTER, "Login"),
    ({"claims": claims(id_token={"acr": {"essential": True, "value": HIGH}})}, HIGH, AFTER, "Issue"),
    ({"claims": claims(id_token={"acr": {"essential": True, "values": [LOW, HIGH]}})}, LOW, AFTER, "Issue"),
    ({"claims": claims(id_token={"acr": {"essential": True, "value": HIGH}})}, LOW, BEFORE,
     "unmet_authentication_requirements"),
    ({"claims": claims(id_token={"acr": {"essential": True, "value": "other"}})}, LOW, AFTER,
     "unmet_authentication_requirements"),
    ({"claims": claims(id_token={"acr": {"essential": True, "value": "other"}}), "prompt": "none"}, LOW, AFTER,
     "unmet_authentication_requirements"),
    ({"claims": claims(id_token={"acr": {"essential": True, "value": HIGH}}), "prompt": "none"}, LOW, AFTER,
     "login_required"),
    ({"claims": claims(id_token={"acr": {"essential": True, "value": HIGH}}), "acr_values": LOW}, LOW, AFTER, "Login"),
    ({"claims": claims(userinfo={"acr": {"essential": True, "value": "other"}})}, LOW, AFTER, "Issue"),
]  # fmt: skip


@pytest.mark.parametrize(("parameters", "acr", "progress", "expected"), ACR)
def test_a_weaker_method_never_satisfies_a_stronger_demand(
    parameters: dict[str, str], acr: str | None, progress: Progress, expected: str
) -> None:
    assert name(decide(parameters, S, progress=progress, acr=acr)) == expected


def test_what_nobody_can_meet_is_refused_before_anybody_signs_in() -> None:
    asked = {"claims": claims(id_token={"acr": {"essential": True, "value": "other"}})}
    assert name(decide(asked, None)) == "unmet_authentication_requirements"
    assert name(decide(asked, None, progress=Progress(NOW, cancelled=True))) == "access_denied"


def test_a_clients_default_acr_values_count_until_the_request_names_some() -> None:
    client = a_client(first_party=True, default_acr_values=(HIGH,))
    assert decide({}, S, client=client) == Login()
    assert decide({"acr_values": LOW}, S, client=client) == Issue(S)
    assert decide({"claims": claims(id_token={"acr": {"value": LOW}})}, S, client=client) == Issue(S)


SUBJECTS = [
    ({"id_token": {"sub": {"value": str(ACCOUNT)}}}, None, "Issue"),
    ({"userinfo": {"sub": {"values": [SOMEBODY_ELSE, str(ACCOUNT)]}}}, None, "Issue"),
    ({"id_token": {"sub": {"value": SOMEBODY_ELSE}}}, None, "Login"),
    ({"id_token": {"sub": {"value": str(ACCOUNT)}}}, SOMEBODY_ELSE, "Login"),
    ({"id_token": {"sub": {"value": SOMEBODY_ELSE}}}, str(ACCOUNT), "Login"),
    ({"id_token": {"sub": {"value": SOMEBODY_ELSE}}, "userinfo": {"sub": {"value": str(ACCOUNT)}}}, None, "Login"),
    ({"id_token": {"sub": {"essential": True}}}, None, "Issue"),
    ({"id_token": {"sub": {"value": str(ACCOUNT)}}}, str(ACCOUNT), "Issue"),
]


@pytest.mark.parametrize(("members", "hint", "expected"), SUBJECTS)
def test_a_sub_asked_for_by_value_is_answered_for_that_account_alone(
    members: dict[str, Any], hint: str | None, expected: str
) -> None:
    asked = {"claims": claims(**members)}
    assert name(decide(asked, S, hint=hint)) == expected
    silent = "login_required" if expected == "Login" else expected
    assert name(decide({**asked, "prompt": "none"}, S, hint=hint)) == silent
    in_vain = "login_required" if expected == "Login" else expected
    assert name(decide(asked, S, hint=hint, progress=BEFORE)) == in_vain


ONE_BY_ONE = [
    # scope, claims -> the words to agree to
    ("openid email", {"userinfo": {"email": None}}, ("openid", "email")),
    ("openid", {"userinfo": {"email": None}}, ("openid", "claim:email")),
    ("openid", {"userinfo": {"name": None}, "id_token": {"name": None, "sub": None}}, ("openid", "claim:name")),
    ("openid profile", {"id_token": {"name": None, "address": None}}, ("openid", "profile", "claim:address")),
    ("openid", {"userinfo": {"shoe_size": None}}, ("openid",)),
]


@pytest.mark.parametrize(("scope", "members", "words"), ONE_BY_ONE)
def test_a_claim_asked_for_by_itself_needs_a_yes_of_its_own(
    scope: str, members: dict[str, Any], words: tuple[str, ...]
) -> None:
    asked = {"scope": scope, "claims": claims(**members)}
    assert asked_words(a_request(THEIRS, **asked)) == words
    assert name(decide(asked, S, client=THEIRS, remembered=Consent.to(words))) == "Issue"
    for missing in words:
        less = Consent.to(set(words) - {missing})
        assert name(decide(asked, S, client=THEIRS, remembered=less)) == "AskConsent"


def test_a_yes_to_a_scope_is_a_yes_to_each_of_its_claims_and_not_the_other_way_round() -> None:
    assert Consent.to({"openid", "email"}).covers({"openid", "claim:email", "claim:email_verified"}, ())
    assert not Consent.to({"openid", "email"}).covers({"claim:name"}, ())
    assert not Consent.to({"openid", "claim:email"}).covers({"email"}, ())
    assert not Consent.to({"openid", "claim:email"}).covers({"claim:email_verified"}, ())
    at_a = Consent.to({"openid", "claim:email", "read"}, {"https://a.example"})
    assert at_a.covers({"openid", "claim:email"}, ())
    assert at_a.covers({"openid", "claim:email"}, {"https://a.example"})
    assert not at_a.covers({"read"}, ())
    assert not at_a.covers({"claim:email"}, {"https://b.example"})


def test_a_client_may_ask_only_for_claims_of_its_own_scopes() -> None:
    modest = a_client(scopes=frozenset({"openid", "email"}))
    asked = a_request(modest, scope="openid", claims=claims(userinfo={"email": None, "name": None, "address": None}))
    assert asked_words(asked) == ("openid", "claim:email")
