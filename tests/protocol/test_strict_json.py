"""JSON read strictly: what passes, what does not."""

import pytest

from watchword.protocol.strict_json import parse_json, parse_json_object


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (rb'{"a": "\u00e9\ud83d\ude00\u0001"}', {"a": "\u00e9\U0001f600\x01"}),
        (rb'{"a": "\\u0000\\ud800"}', {"a": r"\u0000\ud800"}),
        (b'{"a": [1, 2.5, true, null]}', {"a": [1, 2.5, True, None]}),
    ],
)
def test_what_is_json_is_read(text: bytes, value: object) -> None:
    assert parse_json_object(text) == parse_json(text) == value


@pytest.mark.parametrize("odd", [rb"\u0000", rb"\ud800", rb"\uDFFF", rb"\ude00\ud83d"])
@pytest.mark.parametrize("text", [b'{"a": "%s"}', b'{"%s": 1}', b'{"a": [1, {"b": ["x%sy"]}]}'])
def test_text_that_no_store_takes_is_refused(text: bytes, odd: bytes) -> None:
    for parse in (parse_json, parse_json_object):
        with pytest.raises(ValueError, match="no text"):
            parse(text % odd)
