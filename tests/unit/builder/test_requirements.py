"""requirements.txt of a bundle: plain requirements are read, all else is refused in words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.builder import requirements
from controlplane.builder.needs import Needs, Recipe, Wheel, needs_of, recipe_of
from controlplane.builder.requirements import PLAIN, read
from controlplane.builder.uv import contradiction
from controlplane.builder.validate import Untrusted
from runtime.bundle import NotABundle

LINE = "numpy==2.4.6 --hash=sha256:" + "a" * 64
WHEEL = {"name": "my", "file": "my-1.0-py3-none-any.whl", "sha256": "b" * 64}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", ()),
        ("# a comment\n\n   \n", ()),
        ("category_encoders==2.6.3  # why", ("category-encoders==2.6.3",)),
        ("Feature.Engine >= 1.6, <2", ("feature-engine<2,>=1.6",)),
        ("polars[Pyarrow,numpy]~=1.0", ("polars[numpy,pyarrow]~=1.0",)),
        ("a\nb==1.*\r\nc!=2", ("a", "b==1.*", "c!=2")),
        ("a==1\na==1", ("a==1",)),
        ("a \\\n  >=1", ("a>=1",)),
        ("a; python_version >= '3.8'\nb; python_version < '3'", ("a",)),
        ("a===1.0.special", ("a===1.0.special",)),
        ("a (>=1)", ("a>=1",)),
        ("x \\", ("x",)),
    ],
)
def test_plain_requirements(text: str, found: tuple[str, ...]) -> None:
    assert read(text) == found
    assert all(PLAIN.fullmatch(line) for line in found)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("-r other.txt", "names another file"),
        ("--requirement=other.txt", "names another file"),
        ("-cother.txt", "names another file"),
        ("-e .", "editable"),
        ("--editable=.", "editable"),
        ("-i https://evil.example/simple", "chooses a package index"),
        ("-ihttps://evil.example/simple", "chooses a package index"),
        ("--index-url https://evil.example/simple", "chooses a package index"),
        ("--extra-index-url=https://evil.example/simple", "chooses a package index"),
        ("--find-links /tmp", "chooses a package index"),
        ("--trusted-host evil.example", "chooses a package index"),
        ("--pre", "option of pip"),
        ("--no-binary :all:", "option of pip"),
        ("git+https://example/x.git", "a repository"),
        ("x @ git+ssh://example/x.git", "a repository"),
        ("x @ https://example/x-1-py3-none-any.whl", "an address"),
        ("https://example/x.zip", "an address"),
        ("x @ file:///etc/passwd", "an address"),
        ("./x", "a file"),
        ("../x", "a file"),
        ("/tmp/x", "a file"),
        ("~/x", "a file"),
        ("x-1-py3-none-any.whl", "a file"),
        ("x.tar.gz", "a file"),
        ("dist/x.zip", "a file"),
        ("x==1 --hash=sha256:00", "has hashes"),
        ("x y", "no requirement"),
        ("x==", "no requirement"),
        ("$(reboot)", "no requirement"),
        ("x; unknown_marker == '1'", "no requirement"),
    ],
)
def test_what_leads_elsewhere_is_refused(line: str, reason: str) -> None:
    with pytest.raises(NotABundle, match=reason) as raised:
        read(f"good==1\n{line}\n")
    assert raised.value.reason.startswith("Line 2 of requirements.txt")
    assert raised.value.advice


def test_too_many_requirements() -> None:
    with pytest.raises(NotABundle, match="201 requirements; 200"):
        read("\n".join(f"p{number}" for number in range(requirements.MOST + 1)))


@given(st.text(max_size=60))
def test_any_text_gives_plain_requirements_or_a_reason(text: str) -> None:
    try:
        found = read(text)
    except NotABundle as refused:
        found = ()
        assert refused.reason  # noqa: PT017  (either is right)
    assert all(PLAIN.fullmatch(line) for line in found)


def test_needs_are_met_by_the_versions_that_are_there() -> None:
    pins = {"scikit-learn": "1.9.1", "numpy": "2.4.6"}
    assert not Needs().beyond(pins)
    assert not Needs(code=True, requirements=("numpy>=2", "scikit-learn==1.9.1")).beyond(pins)
    assert Needs(requirements=("numpy<2",)).beyond(pins)
    assert Needs(requirements=("category-encoders",)).beyond(pins)
    assert Needs(requirements=("numpy[extra]",)).beyond(pins)
    assert Needs(wheels=(Wheel("a", "a-1-py3-none-any.whl", "0" * 64),)).beyond(pins)


def test_needs_are_read_back_and_nothing_else() -> None:
    given = {"code": True, "requirements": ["a==1"], "wheels": [WHEEL]}
    assert needs_of({"bundle": given}) == Needs(True, ("a==1",), (Wheel(**WHEEL),))
    assert needs_of({"versions": []}) == Needs()


@pytest.mark.parametrize(
    "found",
    [
        [],
        {"requirements": "a", "wheels": []},
        {"requirements": ["--index-url=x"], "wheels": []},
        {"requirements": ["a\n-r b"], "wheels": []},
        {"requirements": ["a @ file:///x"], "wheels": []},
        {"requirements": [1], "wheels": []},
        {"requirements": [], "wheels": None},
        {"requirements": [], "wheels": [{**WHEEL, "file": "../my-1.0-py3-none-any.whl"}]},
        {"requirements": [], "wheels": [{**WHEEL, "file": "-rx.whl"}]},
        {"requirements": [], "wheels": [{**WHEEL, "name": "--no-index"}]},
        {"requirements": [], "wheels": [{**WHEEL, "sha256": "x"}]},
        {"requirements": [], "wheels": [WHEEL] * 51},
    ],
)
def test_needs_that_a_locked_process_may_not_have_found(found: object) -> None:
    with pytest.raises(Untrusted):
        needs_of({"bundle": found})


def test_a_recipe_is_read_back_and_named_by_all_that_it_holds() -> None:
    recipe = Recipe("1.9.1", (LINE,))
    private = Recipe("1.9.1", (LINE,), (Wheel(**WHEEL),))
    altered = Recipe("1.9.1", (LINE,), base=(LINE,))
    assert altered.key("acme") != recipe.key("acme")
    for one in (recipe, private, altered):
        assert recipe_of(one.to_json()) == one
    assert recipe.versions() == {"numpy": "2.4.6"}
    assert recipe.shared({"numpy": "2.4.6"})
    assert not recipe.shared({"numpy": "2.4.5"})
    assert recipe.beside({"scipy"}) == (LINE,)
    assert recipe.beside({"numpy"}) == ()
    assert recipe.key("acme") == recipe.key("other"), "of the index alone: for all tenants"
    assert private.key("acme") != private.key("other"), "with wheels: for one tenant"
    assert len({recipe.key("a"), private.key("a"), Recipe("1.9.0", (LINE,)).key("a")}) == 3


@pytest.mark.parametrize(
    "line",
    ["numpy==1", f"-r x\n{LINE}", f"{LINE} --index-url=x", LINE.replace("==", "@"), "numpy"],
)
def test_a_lock_holds_nothing_but_versions_and_digests(line: str) -> None:
    with pytest.raises(Untrusted):
        recipe_of({"sklearn": "1.9.1", "lock": [line], "wheels": []})


def test_what_contradicts_itself_is_told_without_addresses() -> None:
    said = (
        "error: No solution found when resolving dependencies\n  cause: Because a was not found at"
        " https://me:secret@index.example/simple/ and you require a==1, we can conclude that"
        " your requirements are unsatisfiable.\n"
    )
    words = contradiction(said)
    assert words is not None
    assert words.startswith("because a was not found at … and you require a==1")
    assert "index.example" not in words
    assert contradiction("error: Failed to fetch: `https://index.example`") is None
