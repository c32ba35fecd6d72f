"""The dashboard as it is served: who sees it, what its files say, its size and its types."""

import gzip
import re
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from controlplane import dashboard
from tests import dashboard_types
from tests.integration.api import Api
from tests.integration.test_pages import ada, browser_of, sign_in

MOST_BYTES = 250_000  # of all scripts together, as gzip sends them
NAME = "index-AbC_123.js"
SCRIPT = b"console.log(1)\n" * 50


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """Give a folder as Vite writes one."""
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text('<meta name="form-token" content="%FORM_TOKEN%" />')
    (tmp_path / "theme.js").write_bytes(b"1")
    (tmp_path / "assets" / NAME).write_bytes(SCRIPT)
    (tmp_path / "assets" / f"{NAME}.gz").write_bytes(gzip.compress(SCRIPT))
    (tmp_path / "assets" / "notes.txt").write_text("not for anybody")
    return tmp_path


@pytest.fixture
def api_with(api: Api, built: Path) -> Api:
    """Give the application with that dashboard before its own."""
    fresh = FastAPI()
    dashboard.add_pages(fresh, built)
    api.app.router.routes[:0] = [r for r in fresh.router.routes if "openapi" not in str(r)]
    return api


async def test_whoever_is_not_signed_in_is_sent_to_and_brought_back(api_with: Api) -> None:
    await ada()
    async with browser_of(api_with) as browser:
        home = await browser.get("/")
        assert (home.status_code, home.headers["location"]) == (303, "/dashboard")
        asked = await browser.get("/dashboard/default/models/iris?tab=2")
        back = "/dashboard/default/models/iris?tab=2"
        assert asked.status_code == 303
        assert httpx.URL(asked.headers["location"]).params["next"] == back
        assert (await sign_in(browser, next=back)).headers["location"] == back
        page = await browser.get(back)
        assert page.status_code == 200
        assert re.search(r'content="[0-9a-f]{64}"', page.text)
        assert page.headers["cache-control"] == "no-store"
        policy = page.headers["content-security-policy"]
        assert "script-src 'self';" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [("gzip, deflate", "gzip"), ("br;q=1.0, gzip", "gzip"), ("identity", None)],
)
async def test_assets_are_kept_for_ever_and_sent_compressed(
    api_with: Api, accepted: str, coding: str | None
) -> None:
    async with browser_of(api_with) as browser:
        asset = await browser.get(
            f"/dashboard/assets/{NAME}", headers={"accept-encoding": accepted}
        )
    assert asset.content == SCRIPT
    assert asset.headers.get("content-encoding") == coding
    assert asset.headers["cache-control"] == dashboard.FOR_EVER
    assert asset.headers["content-type"].startswith("text/javascript")
    assert asset.headers["vary"] == "Accept-Encoding"


@pytest.mark.parametrize(
    "name", ["gone.js", "notes.txt", "..%2findex.html", "..%2F..%2F__init__.py", ".js", "%00.js"]
)
async def test_nothing_else_of_the_folder_is_given(api_with: Api, name: str) -> None:
    async with browser_of(api_with) as browser:
        assert (await browser.get(f"/dashboard/assets/{name}")).status_code in (303, 404)


async def test_where_it_is_not_built_a_page_says_what_builds_it(api: Api, tmp_path: Path) -> None:
    fresh = FastAPI()
    dashboard.add_pages(fresh, tmp_path / "nothing")
    api.app.router.routes[:0] = [r for r in fresh.router.routes if "openapi" not in str(r)]
    await ada()
    async with browser_of(api) as browser:
        await sign_in(browser)
        page = await browser.get("/dashboard")
    assert page.status_code == 503
    assert "task dashboard" in page.text


def test_all_scripts_together_are_small() -> None:
    scripts = list((dashboard.BUILT / "assets").glob("*.js.gz"))
    if not scripts:
        pytest.skip("the dashboard is not built: task dashboard")
    assert sum(path.stat().st_size for path in scripts) <= MOST_BYTES


def test_its_types_are_those_of_the_api() -> None:
    first = dashboard_types.TYPES.read_text().splitlines()[0]
    made_of = first.removeprefix("// Of the schemas ")
    assert made_of == dashboard_types.digest(dashboard_types.schemas()), "task dashboard:types"
