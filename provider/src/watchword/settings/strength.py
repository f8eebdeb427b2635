"""Which secrets are too weak to use. What passes is not proved random; what fails certainly is not."""

import zlib

_LEAST_BYTES = 32
_LEAST_COMPRESSED = 32  # bytes that 32 random letters and digits never fall below, while repetitions do
_GIVEAWAYS = (
    "changeme", "change-me", "change_me", "password", "secret", "example", "watchword", "replace", "insert", "your-",
    "your_", "qwerty", "letmein", "0123456789", "1234567890", "abcdefgh",
)  # fmt: skip


def check_secret(text: str) -> None:
    """Refuse a secret that is short, repeats itself, or was plainly typed or copied from an example.

    Raises:
        ValueError: it is too weak.
    """
    content = text.encode()
    repeats = len(zlib.compress(content, 9)) < _LEAST_COMPRESSED
    if len(content) < _LEAST_BYTES or repeats or any(word in text.lower() for word in _GIVEAWAYS):
        raise ValueError("is too weak: it needs at least 32 random bytes (`openssl rand -base64 48` makes one)")
