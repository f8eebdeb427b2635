"""The one dispatcher of interactions, as a table."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from tests.protocol.builders import ACCOUNT, API, NOW, a_client, a_request, a_session
from watchword.protocol.interaction import (
    AskConsent,
    Consent,
    Issue,
    Login,
    NextStep,
    Progress,
    Reject,
    Session,
    next_step,
)

OURS = a_client(first_party=True)
THEIRS = a_client()
SECOND = timedelta(seconds=1)
AGREED = Consent.to({"openid", "email"})
MERE_OPENID = Consent.to({"openid"})

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
) -> NextStep:
    request = a_request(client, **parameters)
    return next_step(request, session, progress=progress, remembered=remembered, hinted_subject=hint, now=NOW)


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
    ("select_account", None, S, AFTER, None, "Login"),
    ("select_account", None, S, BEFORE, None, "Issue"),
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
    (THEIRS, None, Consent(), AGREED, "Issue"),
    (THEIRS, None, Consent(), MERE_OPENID, "AskConsent"),
    (THEIRS, "consent", AGREED, None, "AskConsent"),
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
        step = next_step(request, S, progress=AFTER, remembered=remembered, hinted_subject=None, now=NOW)
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
    assert name(decide({}, S, client=THEIRS, progress=progress)) == "AskConsent"
