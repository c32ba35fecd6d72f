"""What of another site is told from what is ours."""

import pytest

from controlplane import csrf
from runtime.problems import Forbidden


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://kube.example.com/", "https://kube.example.com"),
        ("https://kube.example.com:443", "https://kube.example.com"),
        ("https://Kube.example.com:8443/api", "https://kube.example.com:8443"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_an_origin_is_written_as_browsers_write_it(url: str, expected: str) -> None:
    assert csrf.origin(url) == expected


def test_a_form_is_of_one_session() -> None:
    csrf.check_form_token({"form_token": csrf.form_token("mine")}, "mine")
    for form in ({}, {"form_token": ""}, {"form_token": csrf.form_token("yours")}):
        with pytest.raises(Forbidden, match="reload"):
            csrf.check_form_token(form, "mine")
