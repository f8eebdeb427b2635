"""What every refusal of the token endpoint looks like (RFC 6749 section 5.2)."""

import httpx2


def check_refusal(answer: httpx2.Response, status: int, error: str) -> None:
    """Check status, code, headers, and the characters that a description may hold."""
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert answer.json().keys() == {"error", "error_description"}
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["pragma"] == "no-cache"
    description = answer.json()["error_description"]
    assert description.isascii()
    assert description.isprintable()
    assert not set('"\\') & set(description)
