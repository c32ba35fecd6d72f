"""Where a webhook may lead."""

from ipaddress import ip_address

import pytest

from controlplane.webhooks.addresses import NotAllowed, check_url, is_public, may_reach, networks

OWN = networks("127.0.0.0/8, 10.1.0.0/16")


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1"),
        *("169.254.169.254", "224.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1"),
        *("240.0.0.1", "192.88.99.1", "::1", "::", "fe80::1", "fd00:ec2::254", "ff02::1"),
        *("::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:7f00:1::"),
        *("2001:0:4136:e378:8000:63bf:3fff:fdd2", "64:ff9b:1::1", "2001:db8::1"),
        *(
            "192.0.0.8",
            "192.0.0.100",
            "192.0.0.255",
            "fec0::1",
            "feff::1",
            "3fff::1",
            "3fff:fff::1",
        ),
        *("2001:10::1", "2001:1ff::1", "5f00::1", "100::1", "::7f00:1", "4000::1"),
    ],
)
def test_what_is_nobodys_or_somebodys_own_is_not_public(address: str) -> None:
    assert not is_public(ip_address(address))
    assert not may_reach(ip_address(address), "https", ())


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "93.184.215.14", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"]
)
def test_what_is_everybodys_is_reached_by_https_alone(address: str) -> None:
    assert may_reach(ip_address(address), "https", OWN)
    assert not may_reach(ip_address(address), "http", OWN)


@pytest.mark.parametrize("address", ["127.0.0.1", "10.1.2.3", "::ffff:10.1.2.3"])
def test_networks_that_are_named_are_reached_without_encryption_too(address: str) -> None:
    assert may_reach(ip_address(address), "http", OWN)
    assert may_reach(ip_address(address), "https", OWN)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://example.com/x", "must be https"),
        ("ftp://example.com/x", "must be https"),
        ("https:///x", "must be https"),
        ("example.com", "must be https"),
        ("https://user:secret@example.com", "no user"),
        ("https://example.com/#here", "no user, password or fragment"),
        ("https://example.com:25/", "port 25 is of another service"),
        ("https://example.com:99999/", "an address such as"),
        ("https://169.254.169.254/latest", "KUBESERVE_WEBHOOK_NETWORKS"),
        ("https://[::1]/x", "KUBESERVE_WEBHOOK_NETWORKS"),
        ("https://10.2.0.1/x", "not of the public internet"),
        ("https://example.com/a b", "printable"),
        ("https://example.com/" + "x" * 2000, "2000"),
        ("https://exämple.com/", "ASCII"),
    ],
)
def test_an_address_that_cannot_be_is_refused_with_the_reason(url: str, says: str) -> None:
    with pytest.raises(NotAllowed, match=says):
        check_url(url, ())


def test_where_networks_are_named_http_may_lead_there_and_nowhere_else() -> None:
    check_url("http://127.0.0.1:8000/hook", OWN)
    check_url("http://inside.example/hook", OWN)  # looked up when it is sent
    check_url("https://example.com:8443/hook?token=x", ())
    with pytest.raises(NotAllowed, match="use https"):
        check_url("http://1.1.1.1/hook", OWN)
