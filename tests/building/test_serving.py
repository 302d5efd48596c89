"""Pages on this machine: what is below the folder and nothing else, to this machine and nobody else."""

from __future__ import annotations

import http.client
import threading

import pytest

from course.building.serving import Site, serving

PAGE = "<!DOCTYPE html>\n<html><head><title>x</title></head>\n<body>\n<main>{}</main>\n</body>\n</html>\n"


@pytest.fixture
def site(tmp_path):
    (tmp_path / "site" / "notebooks").mkdir(parents=True)
    (tmp_path / "site" / "index.html").write_text(PAGE.format("all lessons"))
    (tmp_path / "site" / "01_one.html").write_text(PAGE.format("one"))
    (tmp_path / "site" / "notebooks" / "01_one.ipynb").write_text("{}")
    (tmp_path / "secret.html").write_text("secret")
    return Site(tmp_path / "site")


@pytest.fixture
def ask(site):
    with serving(site) as port:

        def ask(path, *, host=f"127.0.0.1:{port}", method="GET"):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            connection.putrequest(method, path, skip_host=True)
            connection.putheader("Host", host)
            connection.endheaders()
            answer = connection.getresponse()
            text = answer.read().decode()
            connection.close()
            return answer, text

        yield ask
    assert not [thread for thread in threading.enumerate() if thread.name == "pages"]


def test_pages_carry_one_script_and_the_files_none(site, ask):
    before = (site.folder / "01_one.html").read_bytes()
    for path, text in (("/", "all lessons"), ("/index.html", "all lessons"), ("/01_one.html?x=1#y", "one")):
        answer, page = ask(path)
        assert answer.status == 200 and answer.headers["Content-Type"] == "text/html; charset=utf-8"
        assert f"<main>{text}</main>" in page and page.count("<script") == 1
        assert "Content-Security-Policy" not in answer.headers  # it would hold for the views' frames
    assert (site.folder / "01_one.html").read_bytes() == before
    answer, text = ask("/notebooks/01_one.ipynb")
    assert answer.status == 200 and text == "{}" and answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "path",
    ["/../secret.html", "/%2e%2e/secret.html", "/notebooks/..%2f..%2fsecret.html", "//secret.html/../../secret.html",
     "/link.html", "/.hidden.html", "/notebooks/.hidden", "/notebooks", "/notebooks/", "/%00", "/none.html", "/none"],
)  # fmt: skip
def test_nothing_else_is_answered(site, ask, path):
    (site.folder / "link.html").symlink_to(site.folder.parent / "secret.html")
    for hidden in (".hidden.html", "notebooks/.hidden"):
        (site.folder / hidden).write_text("secret")
    answer, text = ask(path)
    assert answer.status == 404 and "secret" not in text


def test_only_this_machine_is_answered(ask):
    port = ask.__kwdefaults__["host"].split(":")[1]
    assert ask("/", host=f"localhost:{port}")[0].status == 200
    for host in ("example.org", f"example.org:{port}", "127.0.0.1", f"127.0.0.1:{port}.example.org", ""):
        answer, text = ask("/", host=host)
        assert answer.status == 403 and "lessons" not in text


def test_the_tag_is_that_of_what_is_shown(site, ask):
    def tag():
        answer, text = ask("/01_one.html", method="HEAD")
        assert text == ""
        return answer.headers["ETag"]

    first = tag()
    assert first == tag() and f'data-tag="{first[1:-1]}"' in ask("/01_one.html")[1]
    (site.folder / "01_one.html").write_text(PAGE.format("two"))
    second = tag()
    site.ended({"01_one": ["lessons/01_one.py:3: no"]})
    assert len({first, second, tag()}) == 3
    site.ended({"02_two": ["no"]})
    assert tag() == second
    (site.folder / "01_one.html").touch()
    assert tag() == second


def test_the_page_of_a_lesson_that_fails_stays_and_says_so(site, ask):
    file = site.folder / "01_one.html"
    shown = ask("/01_one.html")[0].headers["ETag"]
    site.began()
    file.unlink()
    answer, page = ask("/01_one.html")  # nobody knows yet why it is gone
    assert (answer.status, answer.headers["ETag"]) == (200, shown) and "role=" not in page
    site.ended({"01_one": ["lessons/01_one.py:3: <b>no</b>"], "02_two": ["unseen"]})
    answer, page = ask("/01_one.html")
    assert answer.status == 200 and answer.headers["ETag"] != shown
    assert "<main>one</main>" in page and "lessons/01_one.py:3: &lt;b&gt;no&lt;/b&gt;" in page and "unseen" not in page
    assert "unseen" in ask("/02_two.html")[1] and "lessons/01_one.py:3" in ask("/")[1] and "unseen" in ask("/")[1]
    site.ended({})
    answer, page = ask("/01_one.html")
    assert answer.status == 404 and "not there" in page and page.count("<script") == 1
    file.write_text(PAGE.format("mended"))
    answer, page = ask("/01_one.html")
    assert answer.status == 200 and "mended" in page and "role=" not in page


def test_a_page_is_shown_before_its_checks_are_over(site, ask):
    file = site.folder / "01_one.html"

    def shown():
        answer, page = ask("/01_one.html")
        assert ask("/01_one.html", method="HEAD")[0].headers["ETag"] == answer.headers["ETag"]
        text = next(text for text in ("<main>one</main>", "<main>two</main>", "<main>three</main>") if text in page)
        return text[6:-7], answer.headers["Course-Checks"], "role=" in page, answer.headers["ETag"]

    site.began()
    assert shown()[:3] == ("one", "over", False)
    site.preview("01_one", PAGE.format("two"))
    ahead = shown()
    assert ahead[:3] == ("two", "running", False) and "one" in file.read_text()
    site.ended({"01_one": ["lessons/01_one.py:3: no"]})
    file.unlink()
    assert shown()[:3] == ("two", "over", True)  # it is what fails
    site.began()
    assert shown()[:3] == ("two", "over", True)
    site.preview("01_one", PAGE.format("two"))
    assert shown() == ahead  # what was said of the last one does not hold for this one
    file.write_text(PAGE.format("two"))
    site.ended({})
    assert shown() == ("two", "over", False, ahead[3])  # an open page need not be loaded again
    file.write_text(PAGE.format("three"))
    assert shown()[:3] == ("three", "over", False)
    site.began()
    site.preview("01_one", PAGE.format("two"))
    site.ended({})  # a build that broke off
    assert shown()[:3] == ("three", "over", False)


def test_a_port_that_is_taken(site):
    with serving(site) as port, pytest.raises(OSError, match="in use"), serving(site, port):
        pass
