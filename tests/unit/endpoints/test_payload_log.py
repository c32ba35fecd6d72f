"""What of an endpoint's requests is logged: read as written, and columns that are not there."""

import pytest

from controlplane.endpoints.payload_log import (
    PayloadLog,
    UnknownColumns,
    check_columns,
    payload_log_from,
)

SIGNATURES = ({"columns": [{"name": "a"}, {"name": "b"}]}, {"columns": [{"name": "c"}]})


def test_a_row_is_read_as_it_was_written_and_shows_no_key() -> None:
    log = PayloadLog(0.1, ("a",), ("b",), predictions=False, retention_days=7, key="ab")
    assert payload_log_from(log.to_json()) == log
    assert "key" not in log.shown()
    assert payload_log_from(None) is None
    assert log.desired().key == "ab"


@pytest.mark.parametrize(
    ("log", "said"),
    [
        (PayloadLog(1.0, ("d",)), "No version that is served has a column 'd'. Its columns are"),
        (PayloadLog(1.0, (), ("d", "e")), "'d', 'e'"),
        (PayloadLog(1.0, ("a",), ("a",)), "choose one"),
    ],
)
def test_columns_that_make_no_sense_are_refused(log: PayloadLog, said: str) -> None:
    with pytest.raises(UnknownColumns, match=said):
        check_columns(log, SIGNATURES)


def test_columns_of_any_version_that_is_served_may_be_named() -> None:
    check_columns(PayloadLog(1.0, ("a", "c"), ("b",)), SIGNATURES)
