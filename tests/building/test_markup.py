"""HTML is read as a browser reads it, whatever is wrong with it."""

from __future__ import annotations

import pytest

from course.building.markup import addresses, visible


@pytest.mark.parametrize(
    ("html", "found"),
    [
        ('<p>src="a.png"</p><a href="b.html">b</a>', []),
        ('<img src=a.png><IMG SRC="b.png" srcset="c.png 2x">', ["a.png", "b.png", "c.png 2x"]),
        ('<video poster="p.png"><source src="v.mp4"></video>', ["p.png", "v.mp4"]),
        ('<object data="o.svg"></object><link href="s.css"><script src="x.js"></script>', ["o.svg", "s.css", "x.js"]),
        ('<svg><image href="i.png"/><use xlink:href="#here"/></svg>', ["i.png"]),
        ('<iframe srcdoc="&lt;img src=&quot;a.png&quot;&gt;"></iframe>', []),
        ('<img src=" data:image/png;base64,AA "><img src="">', []),
    ],
)
def test_addresses(html, found):
    assert addresses(html) == found


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>a <b>b</b> &lt; c</p>", "a b < c"),
        ("a<![if x]>b<![endif]>c", "abc"),
        ("a<![\\)begin{a]lign</m> b <img src=x>", "a b "),
        ("a <![ never <b>closed</b> b", "a closed b"),
        ("1 < 2 <", "1 < 2 <"),
    ],
)
def test_visible(html, text):
    assert visible(html) == text


def test_what_follows_a_broken_tag_is_read():
    assert addresses("<![\\)a]b</m> <img src=x>") == ["x"]
