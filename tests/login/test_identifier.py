"""What people type, and what becomes of it: one canonical form, or a refusal."""

import pytest
from email_validator import SPECIAL_USE_DOMAIN_NAMES
from hypothesis import given
from hypothesis import strategies as st

from watchword.accounts import Identifier
from watchword.login import identifier as module
from watchword.login.identifier import IdentifierInvalid, IdentifierNotAllowed, parse_identifier

REGIONS = ("IN", "US", "GB", "IT", "MX")
BOTH = frozenset({"email", "phone"})


def _parse(
    text: str, *, region: str = "IN", regions: tuple[str, ...] = REGIONS, kinds: frozenset[str] = BOTH
) -> Identifier:
    return parse_identifier(text, region=region, phone_regions=regions, kinds=kinds)


@pytest.mark.parametrize(
    ("typed", "region", "canonical"),
    [
        ("+919876543210", "IN", "+919876543210"),
        ("98765 43210", "IN", "+919876543210"),
        ("098765-43210", "IN", "+919876543210"),
        ("(+91) 98765 43210", "US", "+919876543210"),
        ("0091 98765 43210", "IN", "+919876543210"),
        ("011 91 98765 43210", "US", "+919876543210"),
        ("tel:+91-98765-43210", "US", "+919876543210"),
        ("\uff0b91 98765 43210", "US", "+919876543210"),  # fullwidth plus
        ("\u0669\u0668\u0667\u0666\u0665\u0664\u0663\u0662\u0661\u0660", "IN", "+919876543210"),  # Arabic-Indic
        ("\u096f\u096e\u096d\u096c\u096b\u096a\u0969\u0968\u0967\u0966", "IN", "+919876543210"),  # Devanagari
        ("+91\u00a098765\u201343210", "IN", "+919876543210"),  # no-break space, en dash
        ("+1 (415) 555-2671", "IN", "+14155552671"),
        ("415.555.2671", "US", "+14155552671"),
        ("1 415 555 2671", "US", "+14155552671"),
        ("001 415 555 2671", "GB", "+14155552671"),
        ("07400 123456", "GB", "+447400123456"),
        ("+39 312 345 6789", "IN", "+393123456789"),
    ],
)
def test_however_a_number_is_written_it_is_one_identifier(typed: str, region: str, canonical: str) -> None:
    found = _parse(typed, region=region)
    assert (found.kind, found.value) == ("phone", canonical)


@pytest.mark.parametrize(
    "typed",
    [
        "12345",
        "+91 98765 4321",
        "+91 98765 432100",
        "+91 00000 00000",
        "+999 98765 43210",
        "+",
        "()",
        "--------",
        "9" * 200,
        "98765 43210 x5",
        "+91 98765 43210 ext. 5",
        "+919876543210;ext=5",
        "+919876543210,5",
        "+919876543210,+919876543211",
        "+919876543210;+919876543211",
        "+919876543210 +919876543211",
        "+919876543210/+919876543211",
        "call +919876543210",
        "my number is 9876543210",
        "+1 415 555 CALL",
        "+919876543210<b>",
        "+919876543210;phone-context=example.com",
        "+91 98765\n43210",
        "+91\u200b9876543210",
        "\u202e+919876543210",
    ],
)
def test_what_is_no_single_number_is_refused(typed: str) -> None:
    with pytest.raises(IdentifierInvalid):
        _parse(typed)


@pytest.mark.parametrize(
    "typed",
    [
        "+44 900 123 4567",  # premium rate
        "+1 900 234 5678",  # premium rate
        "+91 1800 123 4567",  # toll free
        "+800 1234 5678",  # international toll free
        "+883 5100 0000 000",  # international network
        "+44 20 7946 0958",  # a landline gets no SMS
        "+91 22 2202 8866",
        "+39 06 698 12345",
    ],
)
def test_numbers_that_no_code_is_sent_to_are_refused(typed: str) -> None:
    with pytest.raises((IdentifierNotAllowed, IdentifierInvalid)):
        _parse(typed, regions=(*REGIONS, "001"))


def test_a_number_that_exists_and_gets_no_code_is_told_so() -> None:
    with pytest.raises(IdentifierNotAllowed):
        _parse("+91 1800 123 4567")


@pytest.mark.parametrize(
    ("typed", "regions"), [("+447400123456", ("IN",)), ("+14165550123", ("US",)), ("+919876543210", ())]
)
def test_a_country_the_operator_did_not_name_gets_no_code(typed: str, regions: tuple[str, ...]) -> None:
    with pytest.raises(IdentifierNotAllowed):
        _parse(typed, regions=regions)


@pytest.mark.parametrize("region", ["ZZ", "", "in", "001", "XYZ", "<script>"])
def test_a_national_number_needs_a_country_that_exists(region: str) -> None:
    with pytest.raises(IdentifierInvalid):
        _parse("98765 43210", region=region)
    assert _parse("+919876543210", region=region).value == "+919876543210"


@pytest.mark.parametrize(
    ("typed", "canonical"),
    [
        ("asha@example.com", "asha@example.com"),
        ("Asha@Example.COM", "asha@example.com"),
        ("  ASHA@EXAMPLE.COM\t", "asha@example.com"),
        ("asha.k+notes@example.com", "asha.k+notes@example.com"),  # neither dots nor tags are folded
        ("o'hara@example.com", "o'hara@example.com"),
        ("a@example.co.uk", "a@example.co.uk"),
        ("asha@m\u00fcnchen.de", "asha@xn--mnchen-3ya.de"),
        ("asha@XN--MNCHEN-3YA.de", "asha@xn--mnchen-3ya.de"),
        ("asha@mu\u0308nchen.de", "asha@xn--mnchen-3ya.de"),  # decomposed
        ("asha@\uff45xample.com", "asha@example.com"),  # fullwidth e, as browsers read it
        ("asha@\u0909\u0926\u093e\u0939\u0930\u0923.\u092d\u093e\u0930\u0924", "asha@xn--p1b6ci4b4b3a.xn--h2brj9c"),
    ],
)
def test_however_an_address_is_written_it_is_one_identifier(typed: str, canonical: str) -> None:
    found = _parse(typed)
    assert (found.kind, found.value) == ("email", canonical)


def test_a_domain_that_only_looks_the_same_is_another_one() -> None:
    cyrillic = _parse("asha@ex\u0430mple.com")
    assert cyrillic.value.startswith("asha@xn--")


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "   ",
        "@",
        "asha@",
        "@example.com",
        "asha@example",
        "asha@localhost",
        "asha@[127.0.0.1]",
        "asha@127.0.0.1",
        "asha@@example.com",
        "asha@evil.example@example.com",
        "asha@example.com,ravi@example.com",
        "asha@example.com;ravi@example.com",
        "asha@example.com ravi@example.com",
        "Asha <asha@example.com>",
        "<asha@example.com>",
        "mailto:asha@example.com?bcc=ravi@example.com",
        '"asha k"@example.com',
        '"asha"@example.com',
        "asha(comment)@example.com",
        ".asha@example.com",
        "asha.@example.com",
        "as..ha@example.com",
        "asha@-example.com",
        "asha@exa_mple.com",
        "asha@example..com",
        "asha@example.com.",
        "a" * 65 + "@example.com",
        "asha@" + "a" * 64 + ".com",
        "asha@" + "a." * 126 + "com",
        "asha@example.com\r\nBcc: ravi@example.com",
        "asha\n@example.com",
        "asha\x00@example.com",
        "asha\x7f@example.com",
        "as\u200bha@example.com",  # zero-width space
        "as\u00adha@example.com",  # soft hyphen
        "asha@exam\u200dple.com",
        "\u202easha@example.com",
        "\u0430sha@example.com",  # Cyrillic a
        "as\u0127a@example.com",
        "\u0131nfo@example.com",  # dotless i
        "\ufb01le@example.com",  # ligature
        "\u212aate@example.com",  # Kelvin sign
        "\u00e9mile@example.com",
        "\ufeffasha\u2060@example.com",
        "asha\ud800@example.com",
    ],
)
def test_what_is_no_single_plain_address_is_refused(typed: str) -> None:
    with pytest.raises(IdentifierInvalid):
        _parse(typed)


_LABEL = st.text("aZ09-\u212a\u017f", min_size=1, max_size=12)


@given(st.text("aZ09._+-\u212a", min_size=1, max_size=70), st.lists(_LABEL, max_size=3), st.sampled_from(["in", "Com"]))
def test_an_ordinary_address_is_read_as_the_parser_reads_it(local: str, labels: list[str], last: str) -> None:
    _check_against_the_parser(f"{local}@{'.'.join([*labels, last])}")


@pytest.mark.parametrize(
    "text",
    [
        "a" * 64 + "@example.com",
        "a" * 65 + "@example.com",
        "asha@" + "a" * 60 + ".in",
        "asha@" + "a" * 61 + ".in",
        "asha@1.2.in",
        "Asha+Notes@EXAMPLE.Com",
        "asha@xn--mnchen-3ya.de",
        "asha@example.c",
        "--@example.com",
    ],
)
def test_what_is_just_ordinary_is_read_as_the_parser_reads_it(text: str) -> None:
    _check_against_the_parser(text)


def _check_against_the_parser(text: str) -> None:
    found = module._parse_ordinary_email(text)
    if found is not None:
        assert found == module._parse_any_email(text)


@pytest.mark.parametrize("name", SPECIAL_USE_DOMAIN_NAMES)
def test_a_domain_that_is_nobodys_is_left_to_the_parser(name: str) -> None:
    with pytest.raises(IdentifierInvalid):
        _parse(f"asha@mail.{name}")


@pytest.mark.parametrize(
    ("typed", "kinds"), [("asha@example.com", {"phone"}), ("+919876543210", {"email"}), ("a@b.in", set())]
)
def test_a_kind_that_nothing_is_sent_to_is_refused(typed: str, kinds: set[str]) -> None:
    with pytest.raises(IdentifierNotAllowed):
        _parse(typed, kinds=frozenset(kinds))


def test_a_refusal_repeats_nothing_of_what_was_typed() -> None:
    with pytest.raises(IdentifierInvalid) as refused:
        _parse("asha@secret-place")
    assert "secret" not in str(refused.value) + refused.value.description + refused.value.detail


def test_an_identifier_shows_itself_only_masked() -> None:
    found = _parse("+91 98765 43210")
    assert "98765" not in repr(found)
    assert found.masked == "+91••••••••10"


@pytest.mark.parametrize(
    ("typed", "masked"),
    [
        ("asha@example.com", "a***@e***.com"),
        ("a@example.com", "***@e***.com"),
        ("asha@mail.example.com", "a***@e***.com"),
        ("asha@m\u00fcnchen.de", "a***@x***.de"),
        ("+1 415 555 2671", "+1••••••••71"),
        ("+447400123456", "+44••••••••56"),
    ],
)
def test_a_masked_identifier_shows_its_ends_alone(typed: str, masked: str) -> None:
    assert _parse(typed).masked == masked
