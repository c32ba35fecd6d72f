"""How many workers tenants may have."""

from controlplane.engines.embedded.shares import Shares


def test_each_tenant_has_its_own_room() -> None:
    shares = Shares()
    shares.set({"otherwise": 3, "tenants": {"small": 1}})
    shares.changed("small", 1)
    shares.changed("acme", 1)
    assert (shares.room("small"), shares.room("acme"), shares.room("new")) == (0, 2, 3)
    shares.changed("small", -1)
    assert shares.room("small") == 1


def test_who_has_more_than_a_new_bound_has_no_room_and_owes_nothing() -> None:
    shares = Shares()
    shares.changed("acme", 5)
    shares.set({"otherwise": 2, "tenants": {}})
    assert shares.room("acme") == 0


def test_before_bounds_come_there_are_none() -> None:
    assert Shares().room("acme") > 1_000_000
