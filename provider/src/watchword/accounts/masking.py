"""How an identifier may appear where it can be read by others than its owner."""

# Country codes of two digits (ITU-T E.164 annex), as ranges; zones 1 and 7 have one digit, the rest three.
_TWO_DIGITS = frozenset(
    str(code)
    for codes in (range(20, 21), range(27, 28), range(30, 35), range(36, 37), range(39, 42), range(43, 50),
                  range(51, 59), range(60, 67), range(81, 83), range(84, 85), range(86, 87), range(90, 96),
                  range(98, 99))
    for code in codes
)  # fmt: skip


def mask_identifier(kind: str, value: str) -> str:
    """Mask a canonical identifier: `j***@g***.com` (of its second-level domain), `+91••••••••78`."""
    return _mask_email(value) if kind == "email" else _mask_phone(value)


def _mask_email(value: str) -> str:
    local, _, domain = value.rpartition("@")
    name, dot, last = domain.rpartition(".")
    shown = local[:1] if len(local) > 1 else ""
    second = name.rpartition(".")[2]
    return f"{shown}***@{second[:1]}***{dot}{last}"


def _mask_phone(value: str) -> str:
    """Country code, dots, the last two digits; short numbers show their country code alone."""
    digits = value.removeprefix("+")
    country = digits[: _country_code_length(digits)]
    if len(digits) < 8:
        return "+" + country
    return "+" + country + "•" * (len(digits) - len(country) - 2) + digits[-2:]


def _country_code_length(digits: str) -> int:
    """How many digits of a number are its country code."""
    if digits[:1] in {"1", "7"}:
        return 1
    return 2 if digits[:2] in _TWO_DIGITS else 3
