"""What is remembered, in which order, and that it is all or nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from local.bedrock.records import Page, Records


@pytest.fixture
def records(tmp_path: Path) -> Records:
    made = Records(tmp_path / "state.sqlite")
    for number in range(5):
        made.put("event", f"e{number}", {"id": f"e{number}"}, parent="job")
    return made


def ids(page: Page | None) -> list[str]:
    assert page is not None
    return [document["id"] for document in page.documents]


def test_pages_follow_one_another_in_either_order(records: Records) -> None:
    newest = records.page("event", parent="job", limit=2, after=None, newest_first=True)
    assert ids(newest) == ["e4", "e3"]
    rest = records.page("event", parent="job", limit=9, after="e3", newest_first=True)
    assert ids(rest) == ["e2", "e1", "e0"]
    oldest = records.page("event", parent="job", limit=2, after="e0", newest_first=False)
    assert ids(oldest) == ["e1", "e2"]
    assert newest is not None
    assert newest.has_more
    assert rest is not None
    assert not rest.has_more


def test_a_page_after_what_is_not_there_is_none(records: Records) -> None:
    assert records.page("event", parent="other", limit=2, after="e1", newest_first=True) is None


def test_what_is_replaced_keeps_its_place(records: Records) -> None:
    records.put("event", "e2", {"id": "e2", "new": True}, parent="job")
    assert [document["id"] for document in records.all("event", parent="job")] == ["e0", "e1", "e2", "e3", "e4"]
    assert records.get("event", "e2") == {"id": "e2", "new": True}


def test_what_fails_half_way_leaves_nothing_behind(records: Records) -> None:
    def fail_half_way() -> None:
        with records.together():
            records.put("event", "e5", {"id": "e5"}, parent="job")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_half_way()
    assert records.get("event", "e5") is None


def test_documents_and_contents_outlive_the_process(tmp_path: Path) -> None:
    first = Records(tmp_path / "kept.sqlite")
    first.put("file", "f", {"id": "f"})
    first.put_content("f", b"bytes")
    # Not closed: a killed process does not close either.
    second = Records(tmp_path / "kept.sqlite")
    assert second.get("file", "f") == {"id": "f"}
    assert second.content("f") == b"bytes"
    assert second.delete("file", "f")
    assert not second.delete("file", "f")
