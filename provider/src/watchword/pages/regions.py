"""The countries a person can choose for a phone number: those that codes are sent to, with their calling codes."""

from functools import cache


@cache
def phone_region_choices(regions: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Return (country code, label) for the select box, in the operator's order."""
    import phonenumbers  # noqa: PLC0415 - large tables, needed by this page alone

    return tuple((region, f"{region} (+{phonenumbers.country_code_for_region(region)})") for region in regions)
