"""What runtimes are told was revoked."""

from datetime import UTC, datetime, timedelta

import pytest

from controlplane.oauth import revoked
from controlplane.oauth.revoked import MOST_NAMED, Revoked, told

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def test_what_fits_is_named_and_nothing_else_is_refused() -> None:
    found = [Revoked("jtis", "j", 5.0, NOW), Revoked("clients", "c", 6.0, NOW)]
    assert told(found) == {"jtis": {"j": 5.0}, "clients": {"c": 6.0}, "subjects": {}}


def test_of_what_was_revoked_twice_the_later_counts() -> None:
    found = [Revoked("subjects", "s", 1.0, at(1)), Revoked("subjects", "s", 2.0, at(2))]
    assert told(found)["subjects"] == {"s": 2.0}


@pytest.mark.parametrize("many", [MOST_NAMED, MOST_NAMED + 1, 3 * MOST_NAMED])
def test_of_too_many_the_newest_are_named_and_none_of_the_others_counts(many: int) -> None:
    found = [Revoked("jtis", f"j{n}", 1e9, at(n / 2)) for n in range(many)]
    members = told(found)
    assert len(members["jtis"]) == MOST_NAMED
    unnamed = [one for one in found if one.name not in members["jtis"]]
    # A token says its second, so that of `at` is the last it can be from.
    assert all(int(one.at.timestamp()) < members["before"] for one in unnamed)
    assert ("before" in members) is bool(unnamed)


def test_it_fits_into_a_variable_beside_250_api_keys() -> None:
    found = [Revoked("clients", f"{n:064}", float(revoked.MOST_NAMED), at(n)) for n in range(900)]
    assert len(str(told(found))) < 50_000
