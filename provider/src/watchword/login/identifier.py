"""What a person types, made canonical: an address or a phone number, or a refusal that says what to change.

email-validator and phonenumbers do the parsing and are imported at first use, since their tables are large.
"""

import re
import unicodedata
from collections.abc import Collection

from watchword.accounts import Identifier
from watchword.protocol.errors import InvalidRequest

_LONGEST = 254
# The parser would also find a number inside a sentence, or read letters as the keys they stand on.
_PHONE = re.compile(r"(?:tel:)?[+\uff0b\d\s().\-\u2010-\u2015]+")

# Addresses as most people have them, of which nothing is to be decided: no quotes, no letters beyond ASCII.
_ORDINARY = re.compile(
    r"([a-z0-9_+-]+(?:\.[a-z0-9_+-]+)*)@((?:[a-z0-9]+(?:-[a-z0-9]+)*\.)+([a-z]{2,}))", re.ASCII | re.IGNORECASE
)
_LONGEST_LOCAL, _LONGEST_LABEL = 64, 63
_NOBODYS = frozenset(
    {"arpa", "invalid", "local", "localhost", "onion", "test"}
)  # RFC 6761 and such: no mail goes there


class IdentifierInvalid(InvalidRequest):
    """Not an address and not a phone number."""

    error = "identifier_invalid"


class IdentifierNotAllowed(InvalidRequest):
    """A well-formed identifier that this provider sends no codes to: another kind, or another country."""

    error = "identifier_not_allowed"


def parse_identifier(text: str, *, region: str, phone_regions: Collection[str], kinds: Collection[str]) -> Identifier:
    """Read an email address, or a phone number typed in `region` or with its `+`.

    `phone_regions` are the countries that codes are sent to; `kinds` those that some gateway serves. Whether the
    address exists is not checked, and neither is whether an account has it.

    Raises:
        IdentifierInvalid: it is neither.
        IdentifierNotAllowed: its kind or its country is not served here.
    """
    text = text.strip()
    if not text or len(text) > _LONGEST or _has_control(text):
        raise IdentifierInvalid("Type an email address or a phone number.")
    identifier = _parse_email(text) if "@" in text else _parse_phone(text, region, phone_regions)
    if identifier.kind not in kinds:
        raise IdentifierNotAllowed("This kind of identifier is not served here.")
    return identifier


def _has_control(text: str) -> bool:
    if text.isascii():
        return not text.isprintable()
    return any(unicodedata.category(c).startswith("C") for c in text)


def _parse_email(text: str) -> Identifier:
    return _parse_ordinary_email(text) or _parse_any_email(text)


def _parse_ordinary_email(text: str) -> Identifier | None:
    """Read an address that needs no parser, in a tenth of its time; None leaves it to the parser."""
    found = _ORDINARY.fullmatch(text)
    if found is None:
        return None
    local, domain, last = found[1], found[2].lower(), found[3].lower()
    if len(local) > _LONGEST_LOCAL or len(domain) > _LONGEST_LABEL or last in _NOBODYS:
        return None
    return Identifier("email", f"{local.lower()}@{domain}", f"{local}@{domain}")


def _parse_any_email(text: str) -> Identifier:
    from email_validator import EmailNotValidError, validate_email  # noqa: PLC0415

    local = text.rpartition("@")[0]
    # Outside ASCII, letters that look alike or fold into one another would let one address pass for another's.
    if not local.isascii():
        raise IdentifierInvalid("Type the address with Latin letters before the @.")
    try:
        address = validate_email(
            text, check_deliverability=False, allow_smtputf8=False, allow_quoted_local=False, strict=True
        )
    except EmailNotValidError:
        raise IdentifierInvalid("Type an email address such as name@example.com.") from None
    canonical = f"{address.local_part.casefold()}@{(address.ascii_domain or '').lower()}"
    return Identifier("email", canonical, f"{address.local_part}@{address.domain}")


def _parse_phone(text: str, region: str, phone_regions: Collection[str]) -> Identifier:
    import phonenumbers  # noqa: PLC0415
    from phonenumbers import PhoneNumberFormat, PhoneNumberType  # noqa: PLC0415

    if _PHONE.fullmatch(text) is None:
        raise IdentifierInvalid("Type a phone number in digits.")
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        raise IdentifierInvalid("Type a phone number with its country, such as +91 98765 43210.") from None
    if number.extension or not phonenumbers.is_valid_number(number):
        raise IdentifierInvalid("This is not a phone number that can exist.")
    kind = phonenumbers.number_type(number)
    if kind not in {PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE}:
        raise IdentifierNotAllowed("Codes are sent to mobile numbers only.")
    if phonenumbers.region_code_for_number(number) not in phone_regions:
        raise IdentifierNotAllowed("Codes are not sent to this country.")
    return Identifier(
        "phone",
        phonenumbers.format_number(number, PhoneNumberFormat.E164),
        phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL),
    )
