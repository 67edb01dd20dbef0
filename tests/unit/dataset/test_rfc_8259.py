"""The careful reading agrees with RFC 8259 wherever it decides; the quick way takes nothing that it refuses."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.in_prove import a_third_in_each_run
from tests.unit.dataset.sample_rows import as_line, check, found, good_rows
from tunedrop.dataset.bounds import MAX_DEPTH
from tunedrop.dataset.json_line import read_line

# fmt: off
ACCEPTED = (
    b'[[]   ]',
    b'[""]',
    b'[]',
    b'["a"]',
    b'[false]',
    b'[null, 1, "1", {}]',
    b'[null]',
    b'[1\n]',
    b' [1]',
    b'[1,null,null,null,2]',
    b'[2] ',
    b'[123e65]',
    b'[0e+1]',
    b'[0e1]',
    b'[ 4]',
    b'[-0.000000000000000000000000000000000000000000000000000000000000000000000000000001]\n',
    b'[20e1]',
    b'[-0]',
    b'[-123]',
    b'[-1]',
    b'[1E22]',
    b'[1E-2]',
    b'[1E+2]',
    b'[123e45]',
    b'[123.456e78]',
    b'[1e-2]',
    b'[1e+2]',
    b'[123]',
    b'[123.456789]',
    b'{"asd":"sdf", "dfg":"fgh"}',
    b'{"a":"b","a":"c"}',
    b'{"a":"b","a":"b"}',
    b'{}',
    b'{"":0}',
    b'{"foo\\u0000bar": 42}',
    b'{ "min": -1.0e+28, "max": 1.0e+28 }',
    b'{"title":"\\u041f"}',
    b'{\n"a": "b"\n}',
    b'["\\u0060\\u012a\\u12AB"]',
    b'["\\uD801\\udc37"]',
    b'["\\ud83d\\ude39\\ud83d\\udc8d"]',
    b'["\\"\\\\\\/\\b\\f\\n\\r\\t"]',
    b'["\\\\u0000"]',
    b'["\\""]',
    b'["a/*b*/c/*d//e"]',
    b'["\\\\a"]',
    b'["\\\\n"]',
    b'["\\u0012"]',
    b'["\\uFFFF"]',
    b'[ "asd"]',
    b'["\xf4\x8f\xbf\xbf"]',
    b'["new\xc2\xa0line"]',
    b'["\xe2\x80\xa8"]',
    b'["\xe2\x80\xa9"]',
    b'"\x7f"',
    b'["\\uDBFF\\uDFFF"]',
    b'["\\uD834\\uDd1e"]',
    b'["\xcf\x80"]',
    b'["\xf0\x9b\xbf\xbf"]',
    b'" "',
    b'["\\u0022"]',
    b'["\\u200B"]',
    b'false',
    b'42',
    b'-0.1',
    b'null',
    b'"asd"',
    b'true',
    b'""',
    b'["a"]\n',
    b'[true]',
    b' [] ',
    b'["\xef\xbf\xbf"]',
    b'["\\u0061\\u30af\\u30EA\\u30b9"]',
    b'["\\uA66D"]',
    b'["\xe2\x8d\x82\xe3\x88\xb4\xe2\x8d\x82"]',
    b'[0.4e00669999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999969999999006]',
    b'[-1e+9999]',
    b'[1.5e+9999]',
    b'[123123123123123123123123123123]',
    b'[100000000000000000000]',
    b'[-237462374673276894279832749832423479823246327846]',
    b'\t[\r1]',
)

REFUSED = (
    b'[1 true]',
    b'[a\xe5]',
    b'["": 1]',
    b'[""],',
    b'[,1]',
    b'[1,,2]',
    b'["x",,]',
    b'["x"]]',
    b'["",]',
    b'["x"',
    b'[x',
    b'[3[4]]',
    b'[\xff]',
    b'[1:2]',
    b'[,]',
    b'[-]',
    b'[   , ""]',
    b'["a",\n4\n,1,',
    b'[1,]',
    b'["\x0ba"\\f]',
    b'[*]',
    b'[""',
    b'[1,',
    b'[{}',
    b'[fals]',
    b'[nul]',
    b'[tru]',
    b'123\x00',
    b'[++1234]',
    b'[+1]',
    b'[+Inf]',
    b'[-01]',
    b'[-1.0.]',
    b'[-2.]',
    b'[-NaN]',
    b'[.-1]',
    b'[.2e-3]',
    b'[0.1.2]',
    b'[0.3e+]',
    b'[0.3e]',
    b'[0.e1]',
    b'[0E+]',
    b'[0E]',
    b'[0e+]',
    b'[0e]',
    b'[1.0e+]',
    b'[1.0e-]',
    b'[1.0e]',
    b'[1 000.0]',
    b'[1eE2]',
    b'[2.e+3]',
    b'[2.e-3]',
    b'[2.e3]',
    b'[9.e+]',
    b'[Inf]',
    b'[NaN]',
    b'[\xef\xbc\x91]',
    b'[1+2]',
    b'[0x1]',
    b'[0x42]',
    b'[Infinity]',
    b'[0e+-1]',
    b'[-123.123foo]',
    b'[123\xe5]',
    b'[1e1\xe5]',
    b'[0\xe5]',
    b'[-Infinity]',
    b'[-foo]',
    b'[- 1]',
    b'[-012]',
    b'[-.123]',
    b'[-1x]',
    b'[1ea]',
    b'[1e\xe5]',
    b'[1.]',
    b'[.123]',
    b'[1.2a-3]',
    b'[1.8011670033376514H-308]',
    b'[012]',
    b'["x", truth]',
    b'{[: "x"}\n',
    b'{"x", null}',
    b'{"x"::"b"}',
    b'{\xf0\x9f\x87\xa8\xf0\x9f\x87\xad}',
    b'{"a":"a" 123}',
    b"{key: 'value'}",
    b'{"\xb9":"0",}',
    b'{"a" b}',
    b'{:"b"}',
    b'{"a" "b"}',
    b'{"a":',
    b'{"a"',
    b'{1:1}',
    b'{9999E9999:1}',
    b'{null:null,null:null}',
    b'{"id":0,,,,,}',
    b"{'a':0}",
    b'{"id":0,}',
    b'{"a":"b"}/**/',
    b'{"a":"b"}/**//',
    b'{"a":"b"}//',
    b'{"a":"b"}/',
    b'{"a":"b",,"c":"d"}',
    b'{a: "b"}',
    b'{"a":"a',
    b'{ "foo" : "bar", "a" }',
    b'{"a":"b"}#',
    b' ',
    b'["\\uD800\\"]',
    b'["\\uD800\\u"]',
    b'["\\uD800\\u1"]',
    b'["\\uD800\\u1x"]',
    b'[\xc3\xa9]',
    b'["\\\x00"]',
    b'["\\x00"]',
    b'["\\\\\\"]',
    b'["\\\t"]',
    b'["\\\xf0\x9f\x8c\x80"]',
    b'["\\"]',
    b'["\\u00A"]',
    b'["\\uD834\\uDd"]',
    b'["\\uD800\\uD800\\x"]',
    b'["\\u\xe5"]',
    b'["\\a"]',
    b'["\\uqqqq"]',
    b'["\\\xe5"]',
    b'[\\u0020"asd"]',
    b'[\\n]',
    b'"',
    b"['single quote']",
    b'abc',
    b'["\\',
    b'["a\x00a"]',
    b'["new\nline"]',
    b'["\t"]',
    b'"\\UA66D"',
    b'""x',
    b'<.>',
    b'[<null>]',
    b'[1]x',
    b'[1]]',
    b'["asd]',
    b'a\xc3\xa5',
    b'[True]',
    b'1]',
    b'{"x": true,',
    b'[][]',
    b']',
    b'\xef\xbb{}',
    b'\xe5',
    b'[',
    b'',
    b'[\x00]',
    b'2@',
    b'{}}',
    b'{"":',
    b'{"a":/*comment*/"b"}',
    b'{"a": true} "x"',
    b"['",
    b'[,',
    b'[{',
    b'["a',
    b'["a"',
    b'{',
    b'{]',
    b'{,',
    b'{[',
    b'{"a',
    b"{'a'",
    b'["\\{["\\{["\\{["\\{',
    b'\xe9',
    b'*',
    b'{"a":"b"}#{}',
    b'[\\u000A""]',
    b'[1',
    b'[ false, nul',
    b'[ true, fals',
    b'[ false, tru',
    b'{"asd":"asd"',
    b'\xc3\xa5',
    b'[\xe2\x81\xa0]',
    b'\xef\xbb\xbf',
    b'[\x0c]',
    b'["\xed\xa0\x80"]',
    b'["\xc0\xaf"]',
    b'["\xf8\x87\xbf\xbf\xbf"]',
    b'["\xfc\x83\xbf\xbf\xbf\xbf"]',
    b'["\xff"]',
    b'["\x81"]',
    b'["\xe9"]',
    b'["\xf4\xbf\xbf\xbf"]',
    b'[\x0b1]',
    b'[\xc2\xa01]',
    b'["\x1f"]',
    b'\xef\xbb\xbf{}',
)
# fmt: on
LARGE = (
    b"[1e400]",
    b"[-1e+9999]",
    b"[0.4e006699999999999999999999999999999999999999969999999006]",
    b"[1" + b"0" * 5_000 + b"]",
    b"[-1" + b"0" * 400 + b"]",
)  # fmt: skip
LONE_SURROGATES = (
    b'["\\uDADA"]', b'["\\uD888\\u1234"]', b'["\\uD800\\n"]', b'["\\uDd1ea"]', b'["\\uDd1e\\uD834"]', b'{"\\udfaa":1}',
)  # fmt: skip


@pytest.mark.parametrize("text", ACCEPTED)
def test_what_the_rfc_allows_is_accepted(text: bytes) -> None:
    reading = read_line(text)
    assert reading.accepted
    assert {fault.rule for fault in reading.faults} <= {"duplicate-key", "number-range"}


@pytest.mark.parametrize("text", REFUSED)
def test_what_the_rfc_forbids_is_refused_with_a_reason(text: bytes) -> None:
    reading = read_line(text)
    assert not reading.accepted
    (fault,) = reading.faults
    assert fault.message


@pytest.mark.parametrize("text", LARGE)
def test_numbers_that_few_readers_hold_are_legal_and_warned_of(text: bytes) -> None:
    reading = read_line(text)
    assert reading.accepted
    assert [fault.rule for fault in reading.faults] == ["number-range"]


@pytest.mark.parametrize("text", LONE_SURROGATES)
def test_half_a_surrogate_pair_is_accepted_with_a_warning(text: bytes) -> None:
    """Section 8.2 leaves open what becomes of it."""
    reading = read_line(text)
    assert reading.accepted
    assert [fault.rule for fault in reading.faults] == ["lone-surrogate"]


def test_nesting_is_accepted_up_to_the_limit_and_refused_beyond() -> None:
    for opening, value, closing in ((b"[", b"", b"]"), (b'{"":', b"1", b"}")):
        text = opening * MAX_DEPTH + value + closing * MAX_DEPTH
        assert read_line(text).accepted
        assert [fault.rule for fault in read_line(b"[" + text + b"]").faults] == ["json-depth"]


def test_brackets_within_strings_are_no_nesting() -> None:
    assert read_line(b'["' + b"[{" * 1_000 + b'\\"[", "' + b"[" * 1_000 + b'"]').accepted


@given(st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
))  # fmt: skip
def test_whatever_a_writer_writes_is_read_back(value: object) -> None:
    reading = read_line(as_line(value))
    assert reading.accepted
    assert reading.value == value


@given(st.binary(max_size=40) | st.text('[]{}":,0123456789eE+-.tfn \t\\u', max_size=30).map(str.encode))
def test_the_quick_parser_takes_nothing_that_the_careful_one_refuses(text: bytes) -> None:
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return
    assert read_line(text).accepted


@pytest.mark.parametrize("text", [text for text in ACCEPTED if b"\n" not in text and b"\r" not in text])
def test_a_legal_value_in_a_field_leaves_the_row_valid(text: bytes) -> None:
    rows = [*good_rows(), as_line(good_rows(1)[0]).replace(b"1 ants", b"many ants")[:-1] + b',"x":' + text + b"}"]
    assert check(rows).valid


@pytest.mark.parametrize(
    "text",
    a_third_in_each_run(text for text in REFUSED if text.strip() and b"\n" not in text and text != b"\xef\xbb\xbf{}"),
)
def test_an_illegal_line_is_the_one_error_of_a_good_file(text: bytes) -> None:
    report = check([*good_rows(), text, *good_rows()[:1]])
    errors = [finding for finding in report.findings if finding.severity == "error"]
    assert [(finding.line, finding.rule.partition("-")[0] in ("json", "encoding")) for finding in errors] == [
        (121, True)
    ]


def test_a_repeated_key_is_found_however_it_is_spaced() -> None:
    for pair in (b'"x":1,"x":2', b'"x" :1,"x":2', b'"x"\t: 1, "x" : 2', b'"x":{"y":1,"y":2}', b'"\\u0078":1,"x":2'):
        line = as_line(good_rows(1)[0]).replace(b"1 ants", b"many ants")[:-1] + b"," + pair + b"}"
        assert [finding.line for finding in found(check([*good_rows(), line]), "duplicate-key")] == [121], pair
