"""The CSV client: dialects, archives, bad rows, and a cursor that neither reads twice nor loses a row."""

from __future__ import annotations

import gzip
import json
import os
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from config import ConfigError, FeedConfig
from data_sources.csv_file import csv_client, sniff_delimiter, unique_names
from data_sources.feed import FeedError, RawBatch
from data_sources.rejects import BadRow

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def read(path: Path | str, cursor: str | None = None, **manifest: Any) -> list[RawBatch]:
    return list(csv_client(FeedConfig("dossiers", "one_stop", "csv", path=str(path), **manifest), cursor, NOW))


def items(batches: list[RawBatch]) -> list[Any]:
    return [item for batch in batches for item in batch.items]


def write(path: Path, data: str | bytes) -> Path:
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


@pytest.mark.parametrize(
    "data",
    (
        "id,name\n1,Hạ Long\n",
        "id;name\r\n1;Hạ Long\r\n",
        "id\tname\n1\tHạ Long",
        "\ufeffid|name\n\n1|Hạ Long\n",
        "id,name,\n1,Hạ Long,\n",
        '"id","name"\n"1","Hạ Long"\n',
        "id,name\n1,Hạ Long\n".encode("utf-16"),
    ),
)
def test_common_dialects_give_the_same_row(tmp_path: Path, data: str | bytes) -> None:
    (row,) = items(read(write(tmp_path / "a.csv", data)))
    assert (row["id"], row["name"]) == ("1", "Hạ Long")


def test_quoted_cells_keep_delimiters_and_line_ends(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", 'id,text\n1,"a, ""b""\nc"\n2,d\n')
    assert items(read(path)) == [{"id": "1", "text": 'a, "b"\nc'}, {"id": "2", "text": "d"}]


def test_gzip_zip_folder_and_pattern_are_read(tmp_path: Path) -> None:
    (tmp_path / "1.csv.gz").write_bytes(gzip.compress(b"id\n1\n"))
    with zipfile.ZipFile(tmp_path / "2.zip", "w") as archive:
        archive.writestr("b.csv", "id\n3\n")
        archive.writestr("a.csv", "id\n2\n")
        archive.writestr("readme.md", "no table")
    write(tmp_path / "3.csv", "id\n4\n")
    write(tmp_path / "note.doc", "no table")
    assert [row["id"] for row in items(read(tmp_path))] == ["1", "2", "3", "4"]
    assert [row["id"] for row in items(read(f"{tmp_path}/[13].csv*"))] == ["1", "4"]


def test_options_name_header_delimiter_and_encoding(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "1:Đông Triều\n".encode("cp1258", "replace"))
    options = {"header": ["id", "name"], "delimiter": ":", "encoding": "cp1258"}
    assert items(read(path, options=options))[0]["id"] == "1"


def test_rows_that_do_not_fit_come_as_bad_rows_among_the_good(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", b"id,name\n1,a\n2\n3,c,d\n4,\xff\xfe\n5,e\n")
    found = items(read(path))
    assert [row["id"] for row in found if isinstance(row, dict)] == ["1", "5"]
    bad = [row for row in found if isinstance(row, BadRow)]
    assert [(row.file, row.row, row.reason) for row in bad] == [
        ("a.csv", 2, "bad_row"), ("a.csv", 3, "bad_row"), ("a.csv", 4, "bad_encoding")]
    assert bad[0].value == "1 cells, the header has 2"


@pytest.mark.parametrize("bad", ('2,"half', '2,"half""', '"2,b', '2,"b" x"'))
def test_a_stray_quote_swallows_no_other_row(tmp_path: Path, bad: str) -> None:
    path = write(tmp_path / "a.csv", f'id,name\n1,a\n{bad}\n3,"c, d"\n4,e\n5,"f"\n6,g\n')
    found = items(read(path))
    assert [row["id"] for row in found if isinstance(row, dict) and row["id"] != "2"] == ["1", "3", "4", "5", "6"]
    assert len(found) == 6


def test_batches_carry_the_number_of_their_first_row(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "id\n" + "".join(f"{n}\n" for n in range(7)))
    batches = read(path, options={"batch": 3})
    assert [(batch.offset, [row["id"] for row in batch.items]) for batch in batches] == [
        (0, ["0", "1", "2"]), (3, ["3", "4", "5"]), (6, ["6"])]


def test_an_unchanged_file_is_not_read_twice(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "id\n1\n")
    for delivery in ("increment", "snapshot"):
        cursor = read(path, delivery=delivery)[-1].cursor
        assert read(path, cursor, delivery=delivery) == []


@pytest.mark.parametrize("compress", (False, True))
def test_a_grown_file_goes_on_behind_its_last_row(tmp_path: Path, compress: bool) -> None:
    path = tmp_path / ("a.csv.gz" if compress else "a.csv")
    pack = gzip.compress if compress else bytes
    write(path, pack("id,name\n1,Đông\n2,b\n".encode()))
    cursor = read(path)[-1].cursor
    write(path, pack("id,name\n1,Đông\n2,b\n3,c\n".encode()))
    (batch,) = read(path, cursor)
    assert (batch.items, batch.offset) == ([{"id": "3", "name": "c"}], 2)


def test_a_grown_snapshot_is_read_whole(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "id\n1\n")
    cursor = read(path, delivery="snapshot")[-1].cursor
    write(path, "id\n1\n2\n")
    assert len(items(read(path, cursor, delivery="snapshot"))) == 2


def test_a_half_written_last_line_is_read_again_when_whole(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "id,n\n1,10\n2,2")
    first = read(path)
    assert items(first)[-1] == {"id": "2", "n": "2"}
    assert read(path, first[-1].cursor) == []
    write(path, "id,n\n1,10\n2,25\n3,30\n")
    assert items(read(path, first[-1].cursor)) == [{"id": "2", "n": "25"}, {"id": "3", "n": "30"}]


def test_a_file_written_anew_is_read_from_its_start(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "id\n1\n2\n")
    cursor = read(path)[-1].cursor
    write(path, "id\n8\n9\n")
    os.utime(path, ns=(1, 1))
    assert [row["id"] for row in items(read(path, cursor))] == ["8", "9"]
    write(path, "id\n5\n6\n7\n")
    assert [row["id"] for row in items(read(path, cursor))] == ["5", "6", "7"]


def test_an_interrupted_read_goes_on_from_its_last_cursor(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write(tmp_path / f"{name}.csv", "id\n" + "".join(f"{name}{n}\n" for n in range(5)))
    whole = [row["id"] for row in items(read(tmp_path, options={"batch": 2}))]
    batches = read(tmp_path, options={"batch": 2})
    for stop in range(len(batches)):
        rest = read(tmp_path, batches[stop].cursor, options={"batch": 2})
        assert [row["id"] for row in items(batches[: stop + 1]) + items(rest)] == whole


def test_a_snapshot_gives_its_cursor_only_at_the_end(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "id\n1\n2\n3\n")
    cursors = [batch.cursor for batch in read(path, delivery="snapshot", options={"batch": 1})]
    assert cursors[:-1] == [None] * (len(cursors) - 1) and cursors[-1]


def test_a_damaged_cursor_only_means_reading_again(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "id\n1\n")
    for cursor in ("not json", "[]", json.dumps({"files": 3}), json.dumps({"files": {"a.csv": {}}})):
        assert len(items(read(path, cursor))) == 1


def test_events_are_grouped_even_when_they_are_not_adjacent(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "case,act\nA,1\nB,2\nA,3\nA\n,4\n")
    bad, first, second, keyless = items(read(path, options={"group_by": ["case"]}))
    assert isinstance(bad, BadRow)
    assert first == {"case": "A", "act": "1", "rows": [{"case": "A", "act": "1"}, {"case": "A", "act": "3"}]}
    assert (second["case"], len(second["rows"])) == ("B", 1)
    assert keyless["rows"] == [{"case": "", "act": "4"}]


def test_grouping_is_bounded(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "case\nA\nB\nC\n")
    with pytest.raises(FeedError, match=r"feed dossiers: more than 2 rows to group; raise options\.max_rows"):
        read(path, options={"group_by": ["case"], "max_rows": 2})


def test_what_cannot_be_read_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(FeedError, match=r"feed dossiers: .*missing\.csv: cannot be read: .*check the path"):
        read(tmp_path / "missing.csv")
    with pytest.raises(FeedError, match="no folder"):
        read(tmp_path / "nowhere" / "*.csv")
    with pytest.raises(FeedError, match="path is missing"):
        read("")
    broken = write(tmp_path / "b.csv.gz", gzip.compress(b"id\n" + os.urandom(9000).hex().encode())[:4000])
    with pytest.raises(FeedError, match="cannot be read"):
        read(broken)
    with pytest.raises(FeedError, match=r"set options\.encoding"):
        read(write(tmp_path / "c.csv", b"\xff\xffid,\xe2\n1,2\n"))


def test_wrong_options_are_told_all_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path / "a.csv", options={"batch": 0, "delimiter": "ab", "colour": 1, "header": "id"})
    for word in ("batch must be 1", "one letter", "unknown option 'colour'", "must be a list"):
        assert word in str(caught.value)


def test_delimiters_inside_quotes_do_not_count() -> None:
    assert sniff_delimiter('"a,b,c";"d";e') == ";"
    assert sniff_delimiter("single") == ","


def test_column_names_are_unique_and_never_empty() -> None:
    assert unique_names([" id ", "", "id"]) == ["id", "column_2", "id#2"]


def test_real_files_come_whole(real_data: Path) -> None:
    counts = {
        "dossiers-wabo-receipt/receipt.csv.gz": 8577, "feedback-boston-311/boston_311_requests.csv.gz": 5473,
        "feedback-chicago-311/chicago_311_sanitation_2011_2014.csv.gz": 74401, "sensors-openaq-hanoi": 355475 + 31,
    }
    for name, count in counts.items():
        batches = read(real_data / name)
        assert sum(len(batch.items) for batch in batches) == count
        assert not any(isinstance(item, BadRow) for item in items(batches))
