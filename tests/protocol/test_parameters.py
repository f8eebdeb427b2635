"""Reading a query or a form."""

from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchword.protocol.errors import InvalidRequest
from watchword.protocol.parameters import MAX_PARAMETERS, Parameters, parse_parameters


def test_names_and_values_are_read_as_form_encoding() -> None:
    parameters = parse_parameters(b"scope=openid+email&state=%C3%A9%2B%26&empty=&bare")
    assert dict(parameters) == {"scope": "openid email", "state": "é+&"}
    assert "empty" not in parameters
    assert "bare" not in parameters


def test_a_semicolon_separates_nothing() -> None:
    assert dict(parse_parameters(b"a=1;b=2")) == {"a": "1;b=2"}


@pytest.mark.parametrize("text", ["state=a&state=b", "state=a&state=a", "state=a&state=", "state=&state=a"])
def test_a_name_that_stands_twice_is_noted_whatever_its_values(text: str) -> None:
    parameters = parse_parameters(text)
    assert parameters.duplicates == {"state"}
    with pytest.raises(InvalidRequest, match="state stands more than once"):
        parameters.check_no_duplicates()


def test_resource_alone_may_stand_several_times_and_keeps_its_order() -> None:
    parameters = parse_parameters("resource=https://b&resource=https://a&resource=https://b&resource=")
    parameters.check_no_duplicates()
    assert parameters.resources == ("https://b", "https://a")


def test_pairs_read_back_to_the_same_parameters() -> None:
    parameters = parse_parameters("a=1&resource=x&b=2&resource=y")
    again = Parameters(parameters.pairs())
    assert dict(again) == dict(parameters)
    assert again.resources == parameters.resources
    assert not again.duplicates


def test_the_name_of_a_duplicate_is_cut_to_what_an_error_may_hold() -> None:
    name = "%22%0d%0a%5c%C3%A9" + "a" * 60
    with pytest.raises(InvalidRequest) as refused:
        parse_parameters(f"{name}=1&{name}=2").check_no_duplicates()
    assert refused.value.description == f"The parameter {'a' * 40} stands more than once."


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(b"state=%ff", id="encoded bytes that are not UTF-8"),
        pytest.param(b"state=%c3%28", id="a broken UTF-8 sequence"),
        pytest.param(b"state=%ed%a0%80", id="an encoded surrogate"),
        pytest.param(b"%ff=a", id="a name that is not UTF-8"),
        pytest.param(b"state=\xc3\xa9", id="raw bytes outside ASCII"),
        pytest.param(b"state=%00", id="an encoded NUL"),
        pytest.param(b"state=a\x00b", id="a raw NUL"),
        pytest.param(b"a%00b=1", id="a NUL in a name"),
    ],
)
def test_text_that_is_no_form_is_refused(text: bytes) -> None:
    with pytest.raises(InvalidRequest):
        parse_parameters(text)


def test_64_parameters_are_read_and_one_more_is_refused() -> None:
    most = "&".join(f"p{number}=1" for number in range(MAX_PARAMETERS))
    assert len(parse_parameters(most)) == MAX_PARAMETERS
    with pytest.raises(InvalidRequest, match="more than 64"):
        parse_parameters(most + "&one=more")


def test_a_missing_parameter_is_named() -> None:
    with pytest.raises(InvalidRequest, match="grant_type is missing"):
        parse_parameters("grant_type=").required("grant_type")


def test_a_repr_shows_names_alone() -> None:
    assert repr(parse_parameters("code=hidden&client_secret=hidden")) == "Parameters(['client_secret', 'code'])"


@given(st.lists(st.sampled_from(["a", "b", "=", "&", "+", "%", "%20", "%C3%A9", "%2B", "%26", ";", "%zz", "%4"])))
def test_form_data_is_read_as_the_standard_library_reads_it(pieces: list[str]) -> None:
    text = "".join(pieces)
    try:
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MAX_PARAMETERS)
    except ValueError:
        with pytest.raises(InvalidRequest):
            parse_parameters(text)
        return
    read = parse_parameters(text)
    assert dict(read) == {name: value for name, value in pairs if value}
    assert read.duplicates == {name for name, _ in pairs if [other for other, _ in pairs].count(name) > 1}
