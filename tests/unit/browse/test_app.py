"""The server: who is let in, what it hands out, what it tells browsers."""

import pytest
from small_run import small_run
from starlette.testclient import TestClient

from reasonlite.browse.app import application
from reasonlite.browse.folder import Folder
from reasonlite.browse.site import Site

TOKEN = "a-token"


@pytest.fixture(scope="module")
def application_of(tmp_path_factory):
    results = small_run(tmp_path_factory.mktemp("results") / "small")
    return application(Site(Folder(results), results), TOKEN, ["127.0.0.1"])


@pytest.fixture
def client(application_of):
    return TestClient(application_of, base_url="http://127.0.0.1:8765")


@pytest.fixture
def admitted(client):
    client.get(f"/?token={TOKEN}")
    return client


@pytest.mark.parametrize("path", ["/", "/problems", "/file?name=figures/stages.svg", "/style.css", "/?token=wrong"])
def test_nothing_is_shown_without_the_token(client, path):
    reply = client.get(path)
    assert reply.status_code == 403 and "token" in reply.text and "small" not in reply.text


def test_the_token_goes_from_the_address_into_a_cookie(client):
    reply = client.get(f"/problems?where=share > 0&token={TOKEN}", follow_redirects=False)
    assert reply.status_code == 303 and reply.headers["location"] == "/problems?where=share+%3E+0"
    assert "HttpOnly" in reply.headers["set-cookie"] and "SameSite=strict" in reply.headers["set-cookie"]
    assert client.get("/problems").status_code == 200


def test_another_name_for_this_machine_is_refused(admitted):
    assert admitted.get("/", headers={"host": "evil.test:8765"}).status_code == 400


@pytest.mark.parametrize("method", ["post", "put", "delete", "patch"])
def test_nothing_can_be_written(admitted, method):
    assert getattr(admitted, method)("/problems").status_code == 405


@pytest.mark.parametrize(
    "name",
    ["", "manifest.json", "figures/../manifest.json", "/etc/passwd", "figures/none.svg", "figures/", "figures\x00.svg",
     "answers/high/00000.parquet", "../small/figures/stages.svg"],
)  # fmt: skip
def test_only_figures_are_handed_out(admitted, name):
    assert admitted.get("/file", params={"name": name}).status_code == 404


def test_a_figure_runs_nothing_even_by_itself(admitted):
    reply = admitted.get("/file?name=figures/stages.svg")
    assert reply.status_code == 200 and reply.headers["content-type"].startswith("image/svg+xml")
    assert (
        "sandbox" in reply.headers["content-security-policy"]
        and "default-src 'none'" in reply.headers["content-security-policy"]
    )


def test_every_page_has_the_policy_and_is_not_kept(admitted):
    for path in ("/", "/problems", "/problem?id=pol:0", "/nothing", "/problem?id=x"):
        reply = admitted.get(path)
        assert reply.status_code in {200, 404}
        policy = reply.headers["content-security-policy"]
        assert "script-src 'self'" in policy and "unsafe" not in policy and reply.headers["cache-control"] == "no-store"
        assert reply.headers["x-content-type-options"] == "nosniff" and " style=" not in reply.text


def test_a_page_that_cannot_be_made_says_so_and_shows_nothing_of_why(admitted, monkeypatch):
    def fail(*_):
        raise RuntimeError("/secret/path")

    monkeypatch.setitem(__import__("reasonlite.browse.views", fromlist=["VIEWS"]).VIEWS, "training", fail)
    reply = admitted.get("/training")
    assert reply.status_code == 500 and "the terminal says why" in reply.text and "secret" not in reply.text
