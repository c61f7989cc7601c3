"""Static pages: whole for a small run, a stated sample of a larger one, every link leading to a file."""

import re
from html import unescape

import pytest
from small_run import small_run

from reasonlite.browse.export import write
from reasonlite.browse.folder import Folder
from reasonlite.browse.site import Site
from reasonlite.core.errors import UserError

LINK = re.compile(r'(?:href|src)="([^"#]+)')


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    results = small_run(tmp_path_factory.mktemp("results") / "small")
    return Site(Folder(results), results)


def test_every_link_of_an_export_leads_to_a_file_of_it(small, tmp_path):
    count, told = write(small, tmp_path / "pages", 500)
    pages = sorted((tmp_path / "pages").glob("*.html"))
    assert count == len(pages) > 20 and told == "" and (tmp_path / "pages" / "figures" / "stages.svg").is_file()
    for path in pages:
        text = path.read_text()
        assert "Content-Security-Policy" in text and "None" not in LINK.findall(text)
        for link in LINK.findall(text):
            assert (tmp_path / "pages" / unescape(link)).is_file(), (path.name, link)


def test_a_sample_is_stated_and_the_same_each_time(small, tmp_path):
    told = write(small, tmp_path / "one", 2)[1]
    assert told == "A sample, drawn by hash: 2 of 4 problems, 2 of the 17 problems of held."
    write(small, tmp_path / "two", 2)
    names = [sorted(path.name for path in (tmp_path / folder).iterdir()) for folder in ("one", "two")]
    assert names[0] == names[1] and told in (tmp_path / "one" / "problems.html").read_text()


def test_a_folder_that_holds_something_is_left_alone(small, tmp_path):
    (tmp_path / "mine.txt").write_text("x")
    with pytest.raises(UserError, match="is there already"):
        write(small, tmp_path, 5)
    assert (tmp_path / "mine.txt").read_text() == "x"
