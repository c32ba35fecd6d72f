"""The dashboard in a real Chromium, on a real installation: a model's way, and how it looks."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib
import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from controlplane.client import Client
from loadtests.benchmarks.installation import installation
from tests.e2e.test_browser import EMAIL, PASSWORD, TOLD, Visit, chromium, stands

__all__ = ["chromium"]
PICTURES = Path(__file__).parents[2] / "dashboard-pictures"
# Each width and each scheme is looked at by axe once; pictures are of all four.
LOOKS = ((1280, "light"), (360, "dark"), (1280, "dark"), (360, "light"))
FLOWER = [5.1, 3.5, 1.4, 0.2]
WITHIN_MS = 60_000


@dataclass(frozen=True)
class Iris:
    """Two fitted models, saved, and a file that is none."""

    first: Path
    second: Path
    broken: Path
    estimator: Any

    @classmethod
    def fit(cls, folder: Path) -> "Iris":
        x, y = load_iris(return_X_y=True, as_frame=True)
        first = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500)).fit(x, y)
        second = DecisionTreeClassifier(max_depth=3, random_state=0).fit(x, y)
        paths = [folder / name for name in ("iris.joblib", "iris-tree.joblib", "notes.joblib")]
        for path, held in zip(paths, (first, second, {"not": "a model"}), strict=True):
            joblib.dump(held, path)
        return cls(*paths, first)


class Desk(Visit):
    """Somebody at the dashboard."""

    def at(self, path: str) -> None:
        """Go to a page of the tenant."""
        self.open(f"/dashboard/default{path}")

    def button(self, words: str) -> Locator:
        return self.page.get_by_role("button", name=words, exact=True)

    def sees(self, words: str) -> None:
        expect(self.page.get_by_text(words).first).to_be_visible(timeout=WITHIN_MS)

    def stands_well(self, name: str, *, part: bool = False) -> None:
        """Look at it in each width and scheme: nothing beyond its edge, axe finds nothing.

        part  of a page that was looked at: each width and each scheme once will do
        """
        expect(self.page.get_by_text("Loading", exact=True)).to_have_count(0, timeout=WITHIN_MS)
        for at, (width, scheme) in enumerate(LOOKS[:2] if part else LOOKS):
            stands(self.page, name, width, scheme, accessible=at < 2)
            PICTURES.mkdir(exist_ok=True)
            self.page.screenshot(path=PICTURES / f"{name}-{width}-{scheme}.png", full_page=True)
        self.page.set_viewport_size({"width": 1280, "height": 800})
        self.page.emulate_media(color_scheme="light")


@contextmanager
def at_a_desk(chromium: Browser, client: Client) -> Iterator[Desk]:
    context = chromium.new_context()
    context.set_default_timeout(WITHIN_MS)
    context.add_init_script(TOLD)
    desk = Desk(context, client)
    yield desk
    context.close()
    assert desk.faults == []


@pytest.fixture(scope="module")
def site(chromium: Browser) -> Iterator[Client]:
    """Run KubeServe, owned by Ada."""
    with installation() as (client, _):
        with at_a_desk(chromium, client) as desk:
            desk.open(client.invite(None, "owner").link)
            desk.fill(email=EMAIL, name="Ada Lovelace", password=PASSWORD)
            desk.press("Make an account and join")
            desk.page.get_by_role("link", name="Open the dashboard").click()
            desk.page.wait_for_url("**/dashboard/default")
        yield client


@pytest.fixture
def desk(chromium: Browser, site: Client) -> Iterator[Desk]:
    """Give a browser that Ada signed in with, from the dashboard and back to it."""
    with at_a_desk(chromium, site) as made:
        made.open("/dashboard/default/models?from=mail")
        made.fill(email=EMAIL, password=PASSWORD)
        made.page.get_by_role("button", name="Sign in").click()
        made.page.wait_for_url("**/dashboard/default/models?from=mail")
        yield made


@pytest.fixture(scope="module")
def iris(tmp_path_factory: pytest.TempPathFactory) -> Iris:
    return Iris.fit(tmp_path_factory.mktemp("iris"))


def upload(desk: Desk, path: Path, name: str, then: str) -> None:
    desk.at("/upload")
    desk.page.get_by_label("Model file").set_input_files(path)
    desk.page.get_by_label("Name of the model").fill(name)
    desk.button("Upload").click()
    desk.sees(then)


def test_from_a_file_to_an_endpoint_and_back(desk: Desk, site: Client, iris: Iris) -> None:
    desk.at("")
    desk.sees("Nothing is served yet")
    desk.stands_well("overview-empty")

    # By drop, as a person would: the name comes of the file.
    desk.page.get_by_role("link", name="Upload a model").first.click()
    desk.stands_well("upload")
    drop(desk.page, iris.first)
    expect(desk.page.get_by_label("Name of the model")).to_have_value("iris")
    desk.button("Upload").click()
    desk.sees("Ready to be deployed.")
    desk.stands_well("uploaded")

    desk.button("Deploy").click()
    desk.stands_well("deploy", part=True)
    desk.page.get_by_role("dialog").get_by_role("button", name="Deploy").click()
    desk.page.wait_for_url("**/endpoints/iris")
    expect(desk.page.get_by_text("Serving").first).to_be_visible(timeout=WITHIN_MS)

    desk.page.get_by_role("link", name="Try it").click()
    for column, value in zip(load_iris().feature_names, FLOWER, strict=True):
        desk.page.get_by_label(column).fill(str(value))
    desk.page.get_by_label("Output").select_option("predict_proba")
    desk.button("Predict").click()
    desk.sees("Answered by iris-00001.")
    desk.stands_well("try")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # rows without names
        expected = iris.estimator.predict_proba([FLOWER])[0]
    row = desk.page.get_by_role("group", name="Predictions").get_by_role("row").nth(1)
    shown = [float(cell) for cell in row.get_by_role("cell").all_inner_texts()]
    assert shown == pytest.approx(list(expected), abs=1e-5)

    # It falls to zero within seconds, is woken by a click, and says so.
    desk.at("/endpoints/iris/settings")
    desk.page.get_by_label("Stable window, s").fill("6")
    desk.page.get_by_label("Grace before zero, s").fill("0")
    desk.stands_well("settings")
    desk.button("Save").first.click()
    desk.sees("The settings are saved as a release")
    desk.at("/endpoints/iris/try")
    desk.sees("Idle at zero")
    desk.button("Predict").click()
    desk.sees("Woken from zero")
    desk.sees("The next request will not wait for it.")
    desk.at("/endpoints/iris")
    desk.sees("from the first byte to the first answer")
    desk.stands_well("endpoint")
    assert site.endpoint("iris").cold_start is not None

    upload(desk, iris.second, "iris", "Ready to be deployed.")
    desk.at("/endpoints/iris/traffic")
    desk.page.get_by_label("Add a version").select_option("2")
    desk.page.get_by_label("Percent of iris:2").fill("20")
    desk.sees("120 %: it has to be 100")
    desk.page.get_by_label("Percent of iris:1").fill("80")
    desk.stands_well("traffic")
    desk.button("Move the traffic").click()
    desk.sees("The traffic is moved")
    shares = {one.version: (one.percent, one.tag) for one in site.endpoint("iris").revisions}
    assert shares == {1: (80, None), 2: (20, "candidate")}

    desk.page.get_by_role("link", name="Releases").click()
    desk.sees("iris:2 (tag candidate)")
    desk.stands_well("releases")
    desk.page.get_by_role("button", name="Roll back to release 2", exact=True).click()
    desk.stands_well("rollback", part=True)
    desk.page.get_by_role("dialog").get_by_role("button", name="Roll back to release 2").click()
    desk.sees("iris is as it was in release 2")
    assert [one.version for one in site.endpoint("iris").revisions] == [1]
    assert site.releases("iris")[0].action == "rollback"


def drop(page: Page, path: Path) -> None:
    """Let a file fall on the page, as a file manager does."""
    data = page.evaluate_handle(
        """([name, bytes]) => {
          const data = new DataTransfer();
          data.items.add(new File([new Uint8Array(bytes)], name));
          return data;
        }""",
        [path.name, list(path.read_bytes())],
    )
    page.get_by_text("Drop the file here").dispatch_event("drop", {"dataTransfer": data})


def test_what_is_refused_is_explained(desk: Desk, iris: Iris) -> None:
    upload(desk, iris.broken, "notes", "It was refused:")
    desk.sees("The file holds no scikit-learn estimator")
    desk.stands_well("refused", part=True)
    desk.page.get_by_role("link", name="Open the version").click()
    desk.sees("What the file loads")
    desk.stands_well("version-failed")
    desk.at("/upload")
    desk.page.get_by_label("Name of the model").fill("No Name")
    desk.sees("1 to 40 lower-case letters, digits and dashes")


def test_an_upload_is_cancelled_on_its_way(desk: Desk, site: Client, tmp_path: Path) -> None:
    (tmp_path / "large.joblib").write_bytes(bytes(4_000_000))
    # 100 kB a second: a slow link on which it would take 40 seconds.
    line = desk.context.new_cdp_session(desk.page)
    line.send(
        "Network.emulateNetworkConditions",
        {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 100_000},
    )
    desk.at("/upload")
    desk.page.get_by_label("Model file").set_input_files(tmp_path / "large.joblib")
    desk.button("Upload").click()
    desk.sees("of 4.00 MB")
    desk.button("Cancel").click()
    desk.sees("Cancelled. Nothing was kept of the file.")
    assert "large" not in {model.name for model in site.models()}


def test_each_page_of_what_there_is(desk: Desk, site: Client, iris: Iris) -> None:
    site.push(iris.first, "flowers")
    site.deploy("flowers")
    site.predict("flowers", [FLOWER])
    pages: dict[str, tuple[str, str]] = {
        "overview": ("", "Recent builds"),
        "models": ("/models", "flowers"),
        "model": ("/models/flowers", "Versions"),
        "version": ("/models/flowers/1", "Compiled to a plan"),
        "endpoints": ("/endpoints", "flowers"),
        "logs": ("/endpoints/flowers/logs", "serving flowers:1"),
        "missing": ("/nowhere", "There is no such page"),
        "gone": ("/models/nowhere", "There is no model"),
    }
    for name, (path, words) in pages.items():
        desk.at(path)
        desk.sees(words)
        desk.stands_well(name)
    # Chromium notes that what a page asked for was not there.
    desk.faults = [fault for fault in desk.faults if "models/nowhere" not in fault]


def test_a_guarded_rollout_is_started_and_aborted(desk: Desk, site: Client, iris: Iris) -> None:
    site.push(iris.first, "guarded")
    site.deploy("guarded")
    site.push(iris.second, "guarded")
    desk.at("/endpoints/guarded/traffic")
    desk.button("Start a rollout").click()
    desk.stands_well("rollout-start", part=True)
    desk.button("Start").click()
    desk.sees("The rollout has begun")
    desk.sees("being judged")
    desk.stands_well("rollout")
    desk.button("Abort").click()
    desk.button("Abort the rollout").click()
    desk.sees("The rollout is cancelled")
    [rollout] = site.rollouts("guarded")
    assert rollout.state == "cancelled"
    assert [one.version for one in site.endpoint("guarded").revisions if one.percent] == [1]


def test_what_a_candidate_must_prove_first_is_asked_for_and_shown(
    desk: Desk, site: Client, iris: Iris
) -> None:
    site.push(iris.first, "proven")
    site.deploy("proven")
    site.push(iris.second, "proven")
    desk.at("/endpoints/proven/traffic")
    desk.button("Start a rollout").click()
    page = desk.page
    expect(page.get_by_label("Run a load test")).to_be_disabled()
    page.get_by_label("Held to").select_option("own")
    page.get_by_label("p95").fill("5s")
    page.get_by_label("Run a load test").check()
    page.get_by_label("Requests a second").fill("20")
    page.get_by_label("Duration").fill("5s")
    page.get_by_label("Compare predictions of rows of mine").check()
    page.get_by_label("Rows", exact=True).fill("[[5.1, 3.5")
    desk.sees("A list of rows, such as")
    page.get_by_label("Rows", exact=True).fill("5.1, 3.5, 1.4, 0.2\n6.7, 3.0, 5.2, 2.3")
    page.get_by_label("Rows that may differ").fill("60")
    desk.stands_well("rollout-start-proofs", part=True)
    desk.button("Start").click()
    desk.sees("The rollout has begun")
    desk.sees("Predictions for 2 rows that were replayed were compared")
    page.get_by_text("Rows that differ most").click()
    desk.sees("[5.1,3.5,1.4,0.2]")
    desk.stands_well("rollout-proofs", part=True)
    page.get_by_role("link", name="see what it measured").click()
    page.wait_for_url("**/loadtests/*")
    desk.sees("p95")
    [test] = site.loadtests("proven")
    assert test.raw["plan"]["shape"]["rate"] == 20


def test_what_is_deleted_is_typed_first(desk: Desk, site: Client, iris: Iris) -> None:
    site.push(iris.first, "brief")
    site.deploy("brief")
    desk.at("/endpoints/brief/settings")
    desk.button("Delete this endpoint").click()
    desk.stands_well("delete", part=True)
    assert desk.button("Delete the endpoint").is_disabled()
    desk.page.get_by_label("Type brief to confirm").fill("brief")
    desk.button("Delete the endpoint").click()
    desk.page.wait_for_url("**/endpoints")
    desk.at("/models/brief")
    desk.button("Delete this model").click()
    desk.page.get_by_label("Type brief to confirm").fill("brief")
    desk.button("Delete the model").click()
    desk.page.wait_for_url("**/models")
    assert "brief" not in {model.name for model in site.models()}


def test_with_keys_alone(desk: Desk) -> None:
    page = desk.page
    expect(page.get_by_role("heading", name="Models")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()
    page.keyboard.press("/")
    expect(page.get_by_role("combobox", name="Go to")).to_be_focused()
    page.keyboard.type("endp")
    desk.stands_well("palette", part=True)
    page.keyboard.press("Enter")
    page.wait_for_url("**/dashboard/default/endpoints")
    page.keyboard.press("Control+k")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_dark_is_chosen_and_kept(desk: Desk) -> None:
    desk.button("Account and appearance").click()
    desk.page.get_by_label("Dark").check(force=True)
    dark = desk.page.evaluate("getComputedStyle(document.body).backgroundColor")
    desk.page.reload()
    assert desk.page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert desk.page.evaluate("getComputedStyle(document.body).backgroundColor") == dark


def test_signing_out_ends_it(desk: Desk) -> None:
    desk.button("Account and appearance").click()
    desk.stands_well("account", part=True)
    desk.button("Sign out").click()
    desk.page.wait_for_url("**/login")
    desk.at("/models")
    assert "/login?next=%2Fdashboard%2Fdefault%2Fmodels" in desk.page.url


def test_who_is_signed_out_elsewhere_comes_back_to_where_they_were(desk: Desk) -> None:
    desk.context.clear_cookies()
    desk.page.wait_for_url("**/login?next=*")  # the next look at the list is refused
    desk.fill(email=EMAIL, password=PASSWORD)
    desk.button("Sign in").click()
    desk.page.wait_for_url("**/dashboard/default/models?from=mail")
    # That the session was over is what the faults tell.
    desk.faults = [fault for fault in desk.faults if "401" not in fault]


def test_a_tenant_of_others_is_told_from_none(desk: Desk) -> None:
    desk.open("/dashboard/nobodys")
    desk.sees("no member of this tenant")
    desk.stands_well("tenant-of-others", part=True)
    desk.page.get_by_role("link", name="Go to a tenant of yours").click()
    desk.page.wait_for_url("**/dashboard/default")
    desk.faults = [fault for fault in desk.faults if "403" not in fault]


def test_no_token_and_no_secret_is_within_reach_of_scripts(desk: Desk) -> None:
    kept = desk.page.evaluate(
        "JSON.stringify([document.cookie, {...localStorage}, {...sessionStorage}])"
    )
    assert "kubeserve=" not in kept
    assert "eyJ" not in kept
