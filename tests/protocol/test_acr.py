"""What a sign-in amounts to."""

import pytest

from watchword.protocol.acr import METHODS, AcrDemand, acr_of, kinds_for, method_of

TABLE = {"email": "urn:x:mail", "sms": "urn:x:phone", "whatsapp": "urn:x:phone"}


@pytest.mark.parametrize(
    ("amr", "method"),
    [
        (("otp",), "email"),
        (("otp", "sms"), "sms"),
        (("sms", "otp"), "sms"),
        (("otp", "whatsapp"), "whatsapp"),
        (("sms",), None),
        (("pwd",), None),
        ((), None),
    ],
)
def test_a_method_is_known_from_its_amr(amr: tuple[str, ...], method: str | None) -> None:
    assert method_of(amr) == method
    assert acr_of(amr, TABLE) == (TABLE[method] if method else None)
    assert method is None or method in METHODS


def test_a_method_that_the_table_leaves_out_has_no_acr() -> None:
    assert acr_of(("otp",), {"sms": "urn:x:phone"}) is None


@pytest.mark.parametrize(
    ("values", "kinds"),
    [
        ((), {"email", "phone"}),
        (("urn:x:mail",), {"email"}),
        (("urn:x:phone",), {"phone"}),
        (("other", "urn:x:phone"), {"phone"}),
        (("urn:x:phone", "urn:x:mail"), {"email", "phone"}),
        (("1", "2"), {"email", "phone"}),
    ],
)
def test_a_demand_leaves_the_kinds_that_can_meet_it(values: tuple[str, ...], kinds: set[str]) -> None:
    assert kinds_for(AcrDemand(values), TABLE) == kinds
    assert kinds_for(AcrDemand(values, essential=True), TABLE) == kinds


def test_a_kind_that_nobody_sends_to_is_never_left() -> None:
    assert kinds_for(AcrDemand(("urn:x:phone",)), {"email": "urn:x:mail"}) == {"email"}
