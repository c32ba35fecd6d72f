"""Every page in a real Chromium: how it looks, what it runs, and the ways through it.

Chromium is the distribution's (`apt-get install chromium`, as root); Playwright brings none along.
"""

import os
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    sync_playwright,
)

from controlplane import pages
from controlplane.client import Client
from loadtests.benchmarks.installation import COMMAND, installation

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
WIDTHS = (1280, 360)
SCHEMES = ("light", "dark")
EMAIL, PASSWORD = "ada@example.com", "four words of mine"
VERIFIER = "v" * 50
CHALLENGE = "CrlVwe1WSHWuTQYh3iczmx3aS-faRx6C92k9_hNxl4A"
WITHIN_S = 90.0
PARTS = {"base", "choice"}  # of other pages
TOLD = """
addEventListener("securitypolicyviolation", event =>
  console.error(`CSP: ${event.violatedDirective} ${event.blockedURI}`))
"""
SEEN: set[str] = set()


def executable() -> str | None:
    """Find a Chromium of this machine."""
    return next(filter(None, map(shutil.which, NAMES)), None)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    path = executable()
    if path is None:
        pytest.skip("no Chromium on this machine; as root: apt-get install chromium")
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def site(chromium: Browser) -> Iterator[tuple[Client, Path]]:
    """Run KubeServe, owned by Ada, who made her account with a browser."""
    with installation() as (client, home):
        with visiting(chromium, client) as visit:
            visit.open(client.invite(None, "owner").link)
            visit.looks_well("invitation")
            visit.fill(email=EMAIL, name="Ada Lovelace", password=PASSWORD)
            visit.press("Make an account and join")
            assert visit.page.url.endswith("/account?done=joined")
        yield client, home


@pytest.fixture
def visit(chromium: Browser, site: tuple[Client, Path]) -> Iterator["Visit"]:
    """Give a browser of its own that nobody is signed in with."""
    with visiting(chromium, site[0]) as made:
        yield made


@pytest.fixture
def ada(visit: "Visit") -> "Visit":
    """Give a browser that Ada is signed in with."""
    visit.sign_in()
    return visit


@contextmanager
def visiting(chromium: Browser, client: Client) -> Iterator["Visit"]:
    context = chromium.new_context()
    context.set_default_timeout(WITHIN_S * 1000)
    context.add_init_script(TOLD)
    visit = Visit(context, client)
    yield visit
    context.close()
    assert visit.faults == []


class Visit:
    """Somebody with a browser. `faults`: what its console and network told."""

    def __init__(self, context: BrowserContext, client: Client) -> None:
        self.context, self.client, self.url = context, client, client.url
        self.faults: list[str] = []
        self.page: Page = context.new_page()
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("requestfailed", self._failed)

    def _said(self, message: ConsoleMessage) -> None:
        # Chromium notes of a page that is itself a refusal that it is one.
        of_page = message.location.get("url") == self.page.url and "status of 4" in message.text
        if message.type in ("error", "warning") and not of_page:
            self.faults.append(f"{message.text} ({self.page.url})")

    def _failed(self, asked: Request) -> None:
        # What a page still loads when the browser leaves it is given up.
        if asked.failure != "net::ERR_ABORTED":
            self.faults.append(f"{asked.url}: {asked.failure}")

    def open(self, address: str) -> None:
        """Go to an address, or to a path of the installation."""
        self.page.goto(self.url + address if address.startswith("/") else address)

    def fill(self, **fields: str) -> None:
        for name, value in fields.items():
            self.page.locator(f"input:not([type=hidden])[name={name}]").fill(value)

    def press(self, words: str) -> None:
        """Press a button, and wait for the page it leads to."""
        with self.page.expect_navigation():
            self.page.get_by_role("button", name=words, exact=True).click()

    def sign_in(self, password: str = PASSWORD) -> None:
        self.open("/login")
        self.fill(email=EMAIL, password=password)
        self.press("Sign in")

    def says(self, text: str) -> None:
        body = self.page.locator("main").inner_text()
        assert text in body, body

    def looks_well(self, template: str) -> None:
        """Look at it in every width and scheme: nothing beyond its edge, axe finds nothing."""
        SEEN.add(template)
        for width in WIDTHS:
            for scheme in SCHEMES:
                stands(self.page, template, width, scheme)
                self._keep(f"{template}-{width}-{scheme}")

    def _keep(self, name: str) -> None:
        """Keep a picture where somebody wants to look."""
        if folder := os.environ.get("TEST_PICTURES"):
            self.page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def stands(page: Page, name: str, width: int, scheme: str, *, accessible: bool = True) -> None:
    """Look at a page in a width and a scheme: nothing beyond its edge, axe finds nothing."""
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # of both
    where = f"{name} at {width} px, {scheme}"
    beyond = page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    assert beyond <= 0, f"{where}: {beyond} px beyond the edge"
    if accessible:
        found = Axe().run(page, options={"preload": False}).response["violations"]
        assert [told(one) for one in found] == [], where


def told(violation: dict[str, Any]) -> str:
    places = ", ".join(node["html"] for node in violation["nodes"])
    return f"{violation['id']}: {violation['help']} ({places})"


@dataclass(frozen=True)
class Application:
    """Notebook, an application on a server of its own, which keeps a secret."""

    client: Client
    id: str
    secret: str
    callback: str

    def asks(self, **more: str) -> str:
        """Give where it sends a browser."""
        asked = {
            "response_type": "code",
            "client_id": self.id,
            "redirect_uri": self.callback,
            "scope": "openid models:read predict",
            "state": "s-1",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            **more,
        }
        return f"/oauth2/authorize?{urlencode(asked)}"

    def got(self, visit: "Visit") -> dict[str, str]:
        """Give what a browser brought back."""
        visit.page.wait_for_url(f"{self.callback}?**")
        query = parse_qs(urlsplit(visit.page.url).query)
        return {name: values[0] for name, values in query.items()}

    def redeems(self, code: str) -> dict[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.callback,
            "code_verifier": VERIFIER,
        }
        auth = (self.id, self.secret)
        answer = httpx.post(
            f"{self.client.url}/oauth2/token", data=form, auth=auth, timeout=WITHIN_S
        )
        return dict(answer.raise_for_status().json())


class Thanks(BaseHTTPRequestHandler):
    """Notebook's own page."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(b"<!doctype html><link rel=icon href=data:,><title>Notebook</title>")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def notebook(site: tuple[Client, Path]) -> Iterator[Application]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Thanks)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    callback = f"http://127.0.0.1:{server.server_port}/callback"
    body = {"name": "Notebook", "redirect_uris": [callback]}
    made = as_administrator(site[0], "/v1/clients", body)
    yield Application(site[0], made["id"], made["secret"], callback)
    server.shutdown()
    server.server_close()


def as_administrator(client: Client, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """Call the API as the installation's own program."""
    token = client._run(client._core.tokens.fetch(None))
    headers = {"authorization": f"Bearer {token}"}
    answer = httpx.post(f"{client.url}{path}", json=body, headers=headers, timeout=WITHIN_S)
    return dict(answer.raise_for_status().json())


def test_signing_in_and_out(visit: Visit) -> None:
    visit.open("/account")
    assert visit.page.url.endswith("/login?next=%2Faccount")
    visit.looks_well("login")
    visit.fill(email=EMAIL, password="not these words")
    visit.press("Sign in")
    visit.says("The e-mail address or the password is wrong.")
    visit.looks_well("login")
    visit.fill(password=PASSWORD)
    visit.press("Sign in")
    visit.says(f"Signed in as {EMAIL}")
    visit.looks_well("account")
    cookies = {cookie["name"]: cookie for cookie in visit.context.cookies()}
    assert cookies["kubeserve"]["httpOnly"]
    assert cookies["kubeserve"]["sameSite"] == "Lax"
    visit.press("Sign out")
    assert urlsplit(visit.page.url).path == "/login"
    visit.open("/account")
    assert urlsplit(visit.page.url).path == "/login"


def test_the_code_flow_with_and_without_a_question(visit: Visit, notebook: Application) -> None:
    visit.open(notebook.asks())
    visit.fill(email=EMAIL, password=PASSWORD)
    visit.page.get_by_role("button", name="Sign in").click()
    visit.page.wait_for_url("**/oauth2/authorize?**")
    visit.says("Allow Notebook?")
    visit.looks_well("consent")
    visit.press("Allow")
    brought = notebook.got(visit)
    assert (brought["state"], brought["iss"]) == ("s-1", visit.url)
    assert "id_token" in notebook.redeems(brought["code"])
    # The second time nobody is asked, not even behind the form for signing in.
    visit.open(notebook.asks(scope="predict"))
    assert notebook.got(visit)["code"] != brought["code"]
    visit.context.clear_cookies()
    visit.open(notebook.asks(state="s-3"))
    visit.fill(email=EMAIL, password=PASSWORD)
    visit.page.get_by_role("button", name="Sign in").click()
    assert notebook.got(visit)["state"] == "s-3"
    visit.open(notebook.asks(prompt="consent"))
    visit.press("Deny")
    assert notebook.got(visit)["error"] == "access_denied"
    visit.open("/account")
    visit.says("Notebook in the tenant default")
    visit.looks_well("account")
    visit.press("End Notebook in default")
    visit.says("That application acts for you no more.")


def test_the_page_between_signing_in_and_an_application(
    visit: Visit, notebook: Application
) -> None:
    visit.open(notebook.asks())
    # An answer without content leaves a browser where it is.
    visit.context.route("**/oauth2/authorize?**", lambda route: route.fulfill(status=204))
    visit.fill(email=EMAIL, password=PASSWORD)
    visit.page.get_by_role("button", name="Sign in").click()
    visit.page.get_by_role("link", name="Go on").wait_for()
    visit.looks_well("signed_in")


def test_a_device_is_signed_in(ada: Visit) -> None:
    asked = {"client_id": "kubeserve-cli"}
    codes = httpx.post(
        f"{ada.url}/oauth2/device_authorization", data=asked, timeout=WITHIN_S
    ).json()
    ada.open("/device")
    ada.looks_well("device")
    ada.fill(user_code="BBBB-BBBB")
    ada.press("Go on")
    ada.says("No device waits with this code.")
    ada.looks_well("device")
    ada.fill(user_code=codes["user_code"].lower())
    ada.press("Go on")
    ada.says("KubeServe command line")
    ada.looks_well("device_consent")
    ada.press("Allow")
    ada.says("You may close this page.")
    ada.looks_well("device_done")


def test_the_command_line_is_signed_in_with_this_browser(
    ada: Visit, tmp_path: Path, site: tuple[Client, Path]
) -> None:
    env = {name: value for name, value in os.environ.items() if "KUBESERVE_" not in name}
    env.pop("BROWSER", None)
    process = subprocess.Popen(
        [*COMMAND, "login", "--browser", site[0].url],
        env={**env, "KUBESERVE_HOME": str(tmp_path), "SSH_CONNECTION": "from elsewhere"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    found = re.search(r"http://127\.0\.0\.1:\d+", process.stderr.readline())
    assert found
    ada.open(found[0])
    ada.says("KubeServe command line")
    ada.press("Allow")
    ada.says("You are signed in")
    ada.looks_well("loopback")
    out, err = process.communicate(timeout=WITHIN_S)
    assert process.returncode == 0, err
    assert f"as {EMAIL}" in out


def test_who_is_in_two_tenants_chooses(ada: Visit, notebook: Application) -> None:
    body = {"name": "acme", "owner": EMAIL}
    ada.open(as_administrator(ada.client, "/v1/tenants", body)["invitation"])
    ada.looks_well("invitation")
    ada.press(f"Join as {EMAIL}")
    ada.open(notebook.asks(prompt="consent"))
    ada.looks_well("consent")
    ada.page.get_by_label("In which tenant?").select_option("acme")
    ada.press("Allow")
    assert "code" in notebook.got(ada)


def test_invitations_of_others(visit: Visit, site: tuple[Client, Path]) -> None:
    client, _ = site
    visit.open(client.invite("bob@example.com", "developer").link)
    visit.looks_well("invitation")
    visit.fill(name="Bob", password=PASSWORD)
    visit.page.locator("input[name=password]").evaluate(
        "field => field.removeAttribute('minlength')"
    )
    visit.fill(password="short")
    visit.press("Make an account and join")
    visit.says("12 to 1024")
    visit.looks_well("invitation")
    visit.sign_in()
    visit.open(client.invite("eve@example.com", "viewer").link)
    visit.says("this invitation is for eve@example.com")
    visit.looks_well("invitation")


def test_another_password(visit: Visit, site: tuple[Client, Path]) -> None:
    client, _ = site
    visit.open(client.password_link(EMAIL).link)
    visit.looks_well("password")
    visit.fill(password=PASSWORD + "!")
    visit.press("Set password and sign in")
    visit.says("Your password is changed")
    visit.fill(current=PASSWORD + "!", new=PASSWORD)
    visit.press("Change password and sign out everywhere else")
    visit.says("Your password is changed")
    visit.looks_well("account")


@pytest.mark.parametrize(
    "address",
    [
        "/invitations/accept?secret=" + "x" * 60,
        "/account/password?secret=gone",
        "/oauth2/authorize?client_id=nobody",
    ],
)
def test_problems_are_pages(ada: Visit, address: str) -> None:
    ada.open(address)
    assert ada.page.get_by_role("alert").inner_text()
    ada.looks_well("problem")


def test_the_page_in_place_of_a_dashboard_that_is_not_built(ada: Visit) -> None:
    page = bytes(pages.show("dashboard_missing").body)
    ada.context.route(
        "**/dashboard", lambda route: route.fulfill(body=page, content_type="text/html")
    )
    ada.open("/dashboard")
    ada.looks_well("dashboard_missing")


def test_every_page_was_looked_at() -> None:
    if executable() is None:
        pytest.skip("no Chromium on this machine; as root: apt-get install chromium")
    templates = {path.stem for path in (pages.FOLDER / "templates").glob("*.html")}
    assert templates - PARTS == SEEN - {"loopback"}
