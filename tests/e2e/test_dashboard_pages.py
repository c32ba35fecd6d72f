"""The dashboard's pages about load, use and people, in a real Chromium on a real installation."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import joblib
import numpy as np
import pytest
from playwright.sync_api import Browser, Locator, expect
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from controlplane.client import Client
from loadtests.benchmarks.installation import installation
from tests.e2e.test_browser import EMAIL, PASSWORD, chromium
from tests.e2e.test_dashboard import WITHIN_MS, Desk, at_a_desk
from tests.waiting import until

__all__ = ["chromium"]
FLOWERS = load_iris(as_frame=True)


class Receiver(BaseHTTPRequestHandler):
    """Takes webhooks at /ok, and breaks at any other address."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(204 if self.path == "/ok" else 500)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@dataclass(frozen=True)
class Site:
    """A KubeServe with one endpoint. `desk`: of Ada, who owns it; `receiver`: of webhooks."""

    client: Client
    desk: Desk
    receiver: str


@pytest.fixture(scope="module")
def site(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    file = tmp_path_factory.mktemp("iris") / "iris.joblib"
    joblib.dump(LogisticRegression(max_iter=500).fit(FLOWERS.data, FLOWERS.target), file)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with (
        installation(webhook_networks="127.0.0.0/8") as (client, _),
        at_a_desk(chromium, client) as desk,
    ):
        client.push(file, "iris")
        client.deploy("iris")
        client.set_slo("iris", p95="2s", error_rate="5%")
        client.set_payload_log("iris", 1.0, redact=["petal width (cm)"])
        client.set_reference("iris:1", FLOWERS.data)
        client.predict("iris", FLOWERS.data)
        desk.open(client.invite(None, "owner").link)
        desk.fill(email=EMAIL, name="Ada Lovelace", password=PASSWORD)
        desk.press("Make an account and join")
        yield Site(client, desk, f"http://127.0.0.1:{server.server_port}")
    server.shutdown()
    server.server_close()


@pytest.fixture
def desk(site: Site) -> Desk:
    return site.desk


def dialog(desk: Desk) -> Locator:
    return desk.page.get_by_role("dialog")


def in_dialog(desk: Desk, words: str) -> None:
    dialog(desk).get_by_role("button", name=words, exact=True).click()


def secret(desk: Desk, label: str) -> str:
    """Read what is shown once, and close it."""
    shown = dialog(desk).get_by_role("group", name=label, exact=True).inner_text()
    in_dialog(desk, "Done")
    expect(dialog(desk)).to_have_count(0)
    return shown.strip()


def was_refused(desk: Desk, *statuses: int) -> None:
    """Chromium notes each answer that is a refusal; those that were asked for are no faults."""
    for status in statuses:
        noted = [fault for fault in desk.faults if f"status of {status}" in fault]
        assert noted, desk.faults
        desk.faults = [fault for fault in desk.faults if fault not in noted]


def test_a_load_test_is_started_followed_read_and_compared(desk: Desk, site: Site) -> None:
    desk.at("/loadtests")
    desk.sees("No load test yet")
    desk.stands_well("loadtests-empty")
    desk.page.get_by_role("link", name="New load test").first.click()
    # What the endpoint promises is asked, unless something else is.
    expect(desk.page.get_by_label("p95 at most")).to_have_value("2s")
    expect(desk.page.get_by_label("Errors at most")).to_have_value("5%")
    desk.stands_well("loadtest-new")
    desk.page.get_by_label("Duration").fill("soon")
    desk.button("Start the load test").click()
    desk.sees("write a duration with its unit")
    expect(desk.page.get_by_label("Duration")).to_have_attribute("aria-invalid", "true")
    desk.page.get_by_label("Duration").fill("3h")
    desk.button("Start the load test").click()
    desk.sees("quota loadtest_s is")
    desk.page.get_by_label("Duration").fill("4s")
    rows = {
        "name": "rows (1).json",
        "mimeType": "application/json",
        "buffer": b"[[5.1, 3.5, 1.4, 0.2]]",
    }
    desk.page.get_by_label("Rows to send").set_input_files(rows)
    was_refused(desk, 422, 403)
    desk.page.get_by_label("Requests a second").fill("40")
    desk.button("Start the load test").click()
    desk.page.wait_for_url("**/loadtests/*-*")
    first = desk.page.url
    # Live: its events come while it runs.
    desk.sees("of 4 s")
    desk.stands_well("loadtest-live")
    expect(desk.page.get_by_role("heading", name="Objectives")).to_be_visible(timeout=WITHIN_MS)
    expect(desk.button("Cancel")).to_have_count(0)
    desk.sees("There is no other test of iris")
    [test] = site.client.loadtests()
    assert test.state == "finished"
    # A busy machine may be too late with its requests to tell: the page says what the test did.
    told = [one["outcome"] for one in saved(desk, "Download JSON")["verdicts"]]
    verdicts = desk.page.get_by_role("group", name="Objectives and verdicts")
    assert len(told) == 2
    for outcome in set(told):
        expect(verdicts.get_by_text(outcome.capitalize())).to_have_count(told.count(outcome))
    desk.stands_well("loadtest")
    with desk.context.expect_page() as opened:
        desk.page.get_by_role("link", name="Open the report").click()
    expect(opened.value.get_by_role("heading", name="Load test of iris")).to_be_visible()
    opened.value.close()

    # The same again, with objectives that no server keeps and the first beside it; then cancelled.
    desk.page.get_by_role("link", name="Run again").click()
    expect(desk.page.get_by_label("Duration")).to_have_value("4s")
    desk.page.get_by_label("p95 at most").fill("1us")
    desk.page.get_by_label("p99 at most").fill("10s")
    desk.page.get_by_label("Duration").fill("10m")
    desk.page.get_by_label("Compare with").select_option(index=1)
    desk.button("Start the load test").click()
    desk.page.wait_for_url(lambda url: "/loadtests/" in url and "new" not in url and url != first)
    desk.sees("of 10:00")
    desk.button("Cancel").click()
    in_dialog(desk, "Cancel the test")
    desk.sees("It was cancelled.")
    desk.sees("What “inconclusive” means")
    desk.page.get_by_label("Test", exact=True).select_option(index=1)
    desk.sees("The loads differ")
    desk.stands_well("loadtest-compared")
    desk.at("/loadtests?endpoint=iris")
    expect(desk.page.get_by_role("row")).to_have_count(3)
    desk.stands_well("loadtests")


def saved(desk: Desk, link: str) -> dict[str, Any]:
    with desk.page.expect_download() as download:
        desk.page.get_by_role("link", name=link).click()
    return dict(json.loads(Path(download.value.path()).read_text()))


def test_members_come_by_a_link_and_the_last_owner_stays(desk: Desk, site: Site) -> None:
    desk.at("/members")
    desk.sees("What roles may")
    desk.button("Invite").click()
    dialog(desk).get_by_label("E-mail address").fill("bob@example.com")
    dialog(desk).get_by_label("Role").select_option("viewer")
    desk.stands_well("invite")
    in_dialog(desk, "Make the link")
    desk.stands_well("invitation-link")
    link = secret(desk, "Link")
    desk.sees("bob@example.com")
    joined(site.client, link, "bob@example.com", "Bob")
    desk.page.reload()
    role = desk.page.get_by_label("Role of bob@example.com")
    role.select_option("developer")
    desk.sees("bob@example.com is developer now.")
    roles = {member.email: member.role for member in site.client.members()}
    assert roles == {EMAIL: "owner", "bob@example.com": "developer"}
    desk.page.get_by_label(f"Role of {EMAIL}").select_option("viewer")
    desk.sees("is the only owner")
    was_refused(desk, 409)
    desk.page.get_by_role("button", name="Dismiss").last.click()
    desk.stands_well("members")
    desk.button("Remove bob@example.com").click()
    in_dialog(desk, "Remove")
    desk.sees("bob@example.com is no member any more.")
    assert [member.email for member in site.client.members()] == [EMAIL]


def joined(client: Client, link: str, email: str, name: str) -> None:
    """Accept an invitation as a browser does."""
    query = httpx.URL(link).params
    form = {"secret": query["secret"], "email": email, "name": name, "password": PASSWORD}
    answer = httpx.post(
        f"{client.url}/invitations/accept",
        data=form,
        headers={"sec-fetch-site": "same-origin"},
        timeout=WITHIN_MS / 1000,
    )
    assert answer.status_code == 303, answer.text


def test_keys_are_shown_once_work_and_are_revoked(desk: Desk, site: Site) -> None:
    desk.at("/keys")
    desk.sees("No API key yet")
    desk.button("New API key").first.click()
    dialog(desk).get_by_label("Name").fill("nightly")
    desk.stands_well("key-new")
    dialog(desk).get_by_label("models:read").check()
    in_dialog(desk, "Make the key")
    key = secret(desk, "API key")
    with Client(site.client.url, api_key=key) as program:
        assert [model.name for model in program.models()] == ["iris"]
    desk.button("New API key").click()
    dialog(desk).get_by_label("Name").fill("one endpoint")
    dialog(desk).get_by_label("Opens").select_option("iris")
    in_dialog(desk, "Make the key")
    assert predicts(site.client, secret(desk, "API key")) == 200
    desk.page.reload()
    desk.sees("endpoint iris")
    desk.stands_well("keys")
    desk.button("Revoke nightly").click()
    in_dialog(desk, "Revoke the key")
    desk.sees("The API key nightly is revoked.")
    assert [one.name for one in site.client.api_keys()] == ["one endpoint"]


def predicts(client: Client, key: str) -> int:
    url = client.endpoint("iris").url
    body = {"instances": FLOWERS.data.head(2).values.tolist()}
    headers = {"authorization": f"Bearer {key}"}
    return httpx.post(f"{url}/v1/models/iris:predict", json=body, headers=headers).status_code


def test_a_service_account_is_made_and_deleted(desk: Desk, site: Site) -> None:
    desk.at("/clients")
    desk.button("New client").click()
    dialog(desk).get_by_label("Name").fill("ci")
    desk.stands_well("client-new")
    in_dialog(desk, "Make the client")
    made = secret(desk, "Client secret")
    desk.sees("ci")
    name = desk.page.get_by_role("rowheader").filter(has_text="ci").locator("code").inner_text()
    with Client(site.client.url, name, made) as program:
        assert program.me().scopes
    desk.stands_well("clients")
    desk.button("Delete ci").click()
    in_dialog(desk, "Delete the client")
    desk.sees("The client ci is deleted.")


def test_webhooks_tell_and_say_why_not(desk: Desk, site: Site) -> None:
    desk.at("/webhooks")
    desk.sees("No webhook yet")
    desk.button("New webhook").first.click()
    dialog(desk).get_by_label("Address").fill("http://10.0.0.1/")
    in_dialog(desk, "Make the webhook")
    expect(dialog(desk).get_by_role("alert")).to_be_visible()
    was_refused(desk, 422)
    dialog(desk).get_by_label("Address").fill(f"{site.receiver}/ok")
    dialog(desk).get_by_label("All of them").uncheck()
    dialog(desk).get_by_label("release.created").check()
    dialog(desk).get_by_label("release.rolled_back").check()
    desk.stands_well("webhook-new")
    in_dialog(desk, "Make the webhook")
    assert secret(desk, "Secret of the webhook").startswith("whsec_")
    [hook] = site.client.webhooks()
    assert list(hook.events) == ["release.*"]
    desk.button("Send a test").click()
    expect(desk.page.get_by_role("cell", name="HTTP 204")).to_be_visible(timeout=WITHIN_MS)
    desk.sees("It takes its events.")
    desk.stands_well("webhook")
    desk.button("Change").click()
    dialog(desk).get_by_label("Address").fill(f"{site.receiver}/broken")
    in_dialog(desk, "Change it")
    desk.button("Send a test").click()
    expect(desk.page.get_by_role("cell", name="HTTP 500").first).to_be_visible(timeout=WITHIN_MS)
    desk.sees("Failing")
    desk.page.locator("summary", has_text="webhook.test").first.click()
    desk.stands_well("webhook-failing")
    desk.at("")
    desk.sees("Wants attention")
    desk.stands_well("overview")
    desk.at("/webhooks")
    desk.stands_well("webhooks")


def test_logged_requests_and_drift(desk: Desk, site: Site) -> None:
    client = site.client
    client.predict("iris", FLOWERS.data + np.array([3.0, 0.0, 0.0, 0.0]))
    until(lambda: client.drift("iris")["rows"] >= 300, 60)
    desk.at("/endpoints/iris/drift")
    desk.sees("columns drift")
    row = desk.page.get_by_role("row").filter(has_text="sepal length (cm)")
    expect(row.get_by_text("Major")).to_be_visible()
    row.get_by_text("sepal length (cm)").click()
    desk.stands_well("drift")
    desk.page.get_by_role("link", name="Logged requests").click()
    desk.sees("petal width (cm)")
    desk.sees("Download")
    desk.stands_well("payloads")
    with desk.page.expect_download() as download:
        desk.page.get_by_role("link", name="Download").first.click()
    assert Path(download.value.path()).read_bytes()[:4] == b"PAR1"
    desk.button("Change").click()
    desk.stands_well("payload-settings")
    dialog(desk).get_by_label("sepal width (cm)").select_option("hash")
    dialog(desk).get_by_label("Share of requests, %").fill("25")
    in_dialog(desk, "Log requests")
    desk.sees("New replicas log like this.")
    said = client.payload_log("iris")["settings"]
    assert (said["sample"], said["hash"], said["redact"]) == (
        0.25,
        ["sepal width (cm)"],
        ["petal width (cm)"],
    )


def test_usage_by_endpoint_and_day(desk: Desk) -> None:
    desk.at("/usage?days=1")
    desk.sees("By endpoint")
    desk.page.get_by_label("What is drawn").select_option("seconds")
    desk.stands_well("usage")
    with desk.page.expect_download() as download:
        desk.button("Download CSV").click()
    head, *lines = Path(download.value.path()).read_text().splitlines()
    assert head.startswith("start,endpoint,")
    assert any(",iris," in line for line in lines)


def test_the_audit_log_is_searched_and_exported(desk: Desk) -> None:
    desk.at("/audit")
    desk.sees("invitation.accept")
    desk.stands_well("audit")
    desk.page.get_by_label("Action").fill("endpoint.")
    desk.button("Search").click()
    desk.page.wait_for_url("**/audit?action=endpoint.")
    desk.sees("endpoint.deploy")
    with desk.page.expect_download() as download:
        desk.page.get_by_role("link", name="Export all of it").click()
    events = Path(download.value.path()).read_text().splitlines()
    assert {json.loads(line)["action"].partition(".")[0] for line in events} == {"endpoint"}


def test_tenants_are_made_bounded_and_gone_to(desk: Desk, site: Site) -> None:
    desk.at("/tenants")
    desk.button("New tenant").click()
    dialog(desk).get_by_label("Name").fill("No Name")
    in_dialog(desk, "Make the tenant")
    expect(dialog(desk).get_by_role("alert")).to_be_visible()
    was_refused(desk, 422)
    dialog(desk).get_by_label("Name").fill("acme")
    in_dialog(desk, "Make the tenant")
    desk.sees("The tenant acme is made")
    link = secret(desk, "Link")
    desk.stands_well("tenants")
    desk.page.get_by_role("link", name="acme").click()
    desk.button("Change").click()
    dialog(desk).get_by_label("Models", exact=True).fill("3")
    in_dialog(desk, "Set the quotas")
    desk.sees("The quotas of acme are set.")
    desk.sees("Set for this tenant.")
    desk.stands_well("tenant")
    assert site.client.quota("acme").limits["models"].limit == 3
    desk.open(link)
    desk.press(f"Join as {EMAIL}")
    # In two tenants now: what the browser itself opens says which.
    desk.at("/quota")
    desk.sees("Uploads and plans.")
    desk.stands_well("quota")
    desk.at("/audit")
    with desk.page.expect_download() as download:
        desk.page.get_by_role("link", name="Export all of it").click()
    assert "tenant.create" in Path(download.value.path()).read_text()
    desk.page.get_by_role("combobox", name="Tenant").select_option("acme")
    desk.page.wait_for_url("**/dashboard/acme")
    desk.sees("Nothing is served yet")
    expect(desk.page.get_by_role("link", name="Tenants", exact=True)).to_have_count(0)


def test_people_are_kept_out_and_let_in_again(desk: Desk, site: Site) -> None:
    joined(
        site.client, site.client.invite("eve@example.com", "viewer").link, "eve@example.com", "Eve"
    )
    desk.at("/people")
    desk.button("Disable eve@example.com").click()
    in_dialog(desk, "Disable")
    desk.sees("eve@example.com cannot sign in any more.")
    desk.stands_well("people")
    desk.button("Allow eve@example.com").click()
    desk.sees("eve@example.com may sign in again.")
    desk.button("Password link for eve@example.com").click()
    in_dialog(desk, "Make the link")
    assert "/account/password?secret=" in secret(desk, "Link")


def test_who_only_looks_sees_what_they_may(chromium: Browser, site: Site) -> None:
    """A viewer's pages offer nothing that would be refused."""
    with at_a_desk(chromium, site.client) as viewer:
        viewer.open("/login")
        viewer.fill(email="eve@example.com", password=PASSWORD)
        viewer.press("Sign in")
        viewer.at("/loadtests")
        viewer.sees("#1 iris")
        expect(viewer.page.get_by_role("link", name="New load test")).to_have_count(0)
        for name in ("Audit log", "Members", "Clients", "Webhooks", "Tenants"):
            expect(viewer.page.get_by_role("link", name=name, exact=True)).to_have_count(0)
        viewer.at("/endpoints/iris/payloads")
        viewer.sees("to those alone who have the scope payloads:read")
        for name in ("audit", "members", "tenants", "upload", "loadtests/new", "webhooks/any"):
            viewer.at(f"/{name}")
            viewer.sees("This page is not for your role")
            expect(viewer.page.locator("#main").get_by_role("button")).to_have_count(0)
        viewer.stands_well("refused")
