"""When nothing is written: a live object that already says what we want."""

import copy

from hypothesis import given
from hypothesis import strategies as st

from controlplane.engines.knative.holding import edited, holds, quantity, whole

scalars = st.none() | st.booleans() | st.integers() | st.text(max_size=4)
documents = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=12,
)


@given(documents)
def test_everything_holds_itself(document):
    assert holds(copy.deepcopy(document), document)


@given(st.dictionaries(st.text(max_size=3), documents), st.text(min_size=4), documents)
def test_what_others_add_to_a_map_is_no_difference_and_what_they_take_is(wanted, key, value):
    assert holds({**wanted, key: value}, wanted)
    assert not holds(wanted, {**wanted, key: value})


def test_a_list_with_more_or_fewer_elements_is_a_difference():
    assert not holds([1, 2], [1])
    assert not holds([1], [1, 2])
    assert holds([{"name": "a", "more": 1}], [{"name": "a"}])


def test_quantities_are_equal_by_value():
    assert holds({"cpu": "1"}, {"cpu": "1000m"})
    assert holds("2Gi", "2048Mi")
    assert not holds("2Gi", "2G")
    assert quantity("words") is None
    assert not holds("words", "other")


def test_only_what_somebody_else_says_about_a_template_makes_it_edited():
    def live(manager, fields):
        return {"metadata": {"managedFields": [{"manager": manager, "fieldsV1": fields}]}}

    template = {"f:spec": {"f:template": {}}}
    assert edited(live("kubectl-edit", template), "kubeserve")
    assert not edited(live("kubeserve", template), "kubeserve")
    assert not edited(live("controller", {"f:status": {}}), "kubeserve")
    assert not edited({"metadata": {}}, "kubeserve")


def test_the_whole_is_ours_but_for_marks_of_others():
    live = {
        "metadata": {"name": "a", "annotations": {"theirs": "1", "ours": "0"}, "uid": "u"},
        "spec": {"template": {"more": 1}},
        "status": {},
    }
    wanted = {"metadata": {"name": "a", "annotations": {"ours": "1"}}, "spec": {"template": {}}}
    assert whole(live, wanted) == {
        "metadata": {"name": "a", "annotations": {"theirs": "1", "ours": "1"}, "uid": "u"},
        "spec": {"template": {}},
        "status": {},
    }
