"""How an identifier may appear where it can be read by others than its owner."""


def mask_identifier(kind: str, value: str) -> str:
    """Mask a canonical identifier: `j***@g***.com`, `+91••••••••78`."""
    return _mask_email(value) if kind == "email" else _mask_phone(value)


def _mask_email(value: str) -> str:
    local, _, domain = value.rpartition("@")
    name, dot, last = domain.rpartition(".")
    shown = local[:1] if len(local) > 1 else ""
    return f"{shown}***@{name[:1]}***{dot}{last}"


def _mask_phone(value: str) -> str:
    """Country code, dots, the last two digits; short numbers show their beginning alone."""
    digits = value.removeprefix("+")
    if len(digits) < 8:
        return "+" + digits[:2]
    return "+" + digits[:2] + "•" * (len(digits) - 4) + digits[-2:]
