"""What is hashed, and how."""

import hashlib
import hmac

import pytest

from watchword.protocol.digests import join_fields, mac


@pytest.mark.parametrize("secret", [b"", b"k", bytes(range(32)), bytes(range(64))])
@pytest.mark.parametrize("message", [b"", b"m", bytes(200)])
def test_a_mac_is_what_the_standard_library_computes(secret: bytes, message: bytes) -> None:
    for _ in range(2):  # the second one with what the first one prepared
        assert mac(secret, message) == hmac.digest(secret, message, hashlib.sha256)


def test_a_mac_is_the_one_of_rfc_4231_section_4_2() -> None:
    expected = "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
    assert mac(b"\x0b" * 20, b"Hi There").hex() == expected


def test_a_secret_that_would_have_to_be_hashed_first_is_refused() -> None:
    with pytest.raises(ValueError, match="longer than a block"):
        mac(bytes(65), b"")


def test_no_other_list_of_fields_joins_to_the_same_bytes() -> None:
    assert len({join_fields(b"ab", b""), join_fields(b"a", b"b"), join_fields(b"", b"ab"), join_fields(b"ab")}) == 4
