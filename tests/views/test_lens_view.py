import io
import json
import re
import warnings
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from matplotlib.colors import to_rgb
from PIL import Image

import course
from course.causal.induction import HeadScores
from course.causal.lenses import Lens, Watched
from course.causal.neuron_factors import Factors
from course.views import ViewError
from course.views.attribution_twin import shade
from course.views.heat_twin import PLAIN
from course.views.lens_cells import Cell, Sheet, rank_share, shown_positions
from course.views.lens_twin import LIGHT_FROM
from tests import tiny
from tests.views.synthetic import HOSTILE, tokens_of
from tests.views.test_view import PAGE_TAGS, Elements

TEXT = "the 🦜 cat sat on the"


class Hostile:
    """A vocabulary in which every token is markup."""

    def text(self, number):
        return HOSTILE[number % len(HOSTILE)]


def lens_of(texts=HOSTILE[:18], rows=3, size=40, vocabulary=None, model=HOSTILE[0]):
    draw = torch.Generator().manual_seed(0)
    logits = 3 * torch.randn(rows, len(texts), size, generator=draw)
    return Lens(logits, tuple(i % size for i in range(len(texts))), tokens_of(texts), vocabulary or Hostile(), model)


def watched_of(texts=HOSTILE[:18], words=HOSTILE[:3], model=HOSTILE[0]):
    shape = (3, len(texts), len(words))
    ranks = torch.randint(1, 41, shape, generator=torch.Generator().manual_seed(0))
    return Watched(ranks, 1 / (1 + ranks.double()), tuple(range(len(words))), words, tokens_of(texts),
                   ("embeddings", "layer 0", "layer 1"), 40, model)  # fmt: skip


def factors_of(texts=HOSTILE[:18], model=HOSTILE[0]):
    draw = torch.Generator().manual_seed(0)
    weights = torch.rand(3, len(texts), generator=draw).double()
    return Factors(weights, torch.rand(3, 2, 5, generator=draw).double(), tokens_of(texts), (0, 1), 0.25, 0.1, True, 9,
                   model)  # fmt: skip


def scores_of(model=HOSTILE[0]):
    draw = torch.Generator().manual_seed(0)
    return HeadScores(torch.rand(5, 2, 4, generator=draw), torch.rand(5, 2, 4, generator=draw), (0.1, 0.2), model)


MADE = {
    "lens": lambda **more: course.lens_view(lens_of(**more)),
    "watch": lambda **more: course.watch_view(watched_of(**more)),
    "factors": lambda **more: course.factors_view(factors_of(**more)),
    "induction": lambda **more: course.induction_view(scores_of(**more)),
    "generation": lambda **_: course.generation_view(course.generate(tiny.gpt2(), TEXT, 3)),
}


def parcel(view):
    return json.loads(re.search(r'id="parcel">(.*?)</script>', view.page, re.DOTALL).group(1))


def test_the_lens_shows_the_first_guesses_and_both_ranks():
    lens = course.lens(tiny.gpt2(), TEXT)
    view = course.lens_view(lens)
    guesses, own, follows = parcel(view)["sheets"]
    assert guesses["rows"] == list(lens.labels) and guesses["columns"] == list(lens.tokens.texts)
    for row in range(3):
        for place in range(len(lens.tokens)):
            top = lens.top(row, place, 1)[0]
            assert guesses["cells"][row][place][:2] == [top.text, round(top.probability, 3)]
            assert f"{top.text} {top.probability:.3f}" in guesses["cells"][row][place][2]
    assert {cell[0] for cell in own["cells"][-1]} == {"1"} and {cell[1] for cell in own["cells"][-1]} == {1}
    ranks = lens.ranks(torch.tensor([[one] for one in lens.ids[1:]] + [[0]]))[:, :, 0].tolist()
    assert [[cell[0] for cell in row[:-1]] for row in follows["cells"]] == [[str(r) for r in row[:-1]] for row in ranks]
    assert [row[-1][:2] for row in follows["cells"]] == [["", 0]] * 3


def test_alt_and_summary_say_what_comes_next_after_every_layer():
    lens = course.lens(tiny.gpt2(), TEXT)
    view = course.lens_view(lens)
    for words in (view.alt, view.summary):
        for row, name in enumerate(lens.labels):
            assert f"{name}: {lens.top(row, -1, 1)[0]}" in words
        at = lens.labels[int(lens.settled[-1])]
        assert f"first from {at} on" in words
        late = int((lens.settled == 2).sum())
        assert f"at {late} of {len(lens.tokens)} positions only after the last layer" in words


def test_watched_tokens_are_compared_and_then_shown_one_by_one():
    watched = course.lens(tiny.gpt2(), TEXT).watch([" the", "!"])
    view = course.watch_view(watched)
    both, first, second = parcel(view)["sheets"]
    assert both["columns"] == ["␣the", "!"]
    assert [[cell[0] for cell in row] for row in both["cells"]] == [
        [str(r) for r in row] for row in watched.ranks[:, -1].tolist()
    ]
    for sheet, j in ((first, 0), (second, 1)):
        assert [[c[0] for c in row] for row in sheet["cells"]] == [
            [str(r) for r in row] for row in watched.ranks[:, :, j].tolist()
        ]
    assert f"!: {', '.join(map(str, watched.ranks[:, -1, 1].tolist()))}" in view.alt
    assert len(parcel(course.watch_view(course.lens(tiny.gpt2(), TEXT).watch("!")))["sheets"]) == 1


def test_factors_and_heads_show_their_numbers():
    factors = factors_of(("a", "b", "c"), model="Made up")
    cells = parcel(course.factors_view(factors))["sheets"][0]["cells"]
    assert [[round(cell[1], 2) for cell in row] for row in cells] == [
        [round(float(v / factors.weights.max()), 2) for v in row] for row in factors.weights
    ]
    assert factors.account in course.factors_view(factors).summary
    scores = scores_of(model="Made up")
    induction, previous = parcel(course.induction_view(scores))["sheets"]
    assert [[c[0] for c in row] for row in previous["cells"]] == [
        [f"{v:.2f}" for v in row] for row in scores.mean("previous").tolist()
    ]
    layer, head = scores.strongest("induction")
    assert f"Induction: layer {layer} head {head} has most" in course.induction_view(scores).alt
    assert induction["rows"] == ["layer 0", "layer 1"] and len(induction["columns"]) == 4


def test_each_written_token_has_its_own_text():
    found = course.generate(tiny.gpt2(), TEXT, 4)
    view = course.generation_view(found)
    sent = parcel(view)
    assert [one["reading"] for one in sent["choices"][:4]] == [
        f"{i}. {step.text} {step.probability:.3f}" for i, step in enumerate(found, start=1)
    ]
    for step, reading in zip(found, sent["readings"], strict=True):
        assert reading["rest"].endswith(f" → {step.text}")
        values = [float(mark[2].replace("−", "-")) for mark in reading["marks"]]
        assert sum(values) == pytest.approx(float(step.attribution.values.sum()), abs=0.01)
    assert f"1. {found[0].text}" in view.alt and "completeness gaps are from" in view.summary
    with pytest.raises(ViewError, match="without attributions"):
        course.generation_view(course.generate(tiny.gpt2(), TEXT, 1, method=None))


def test_complete_sums_are_said_to_be():
    view = course.generation_view(course.generate(tiny.gpt2(), TEXT, 2, method="integrated_gradients"))
    assert "All 2 sums are within 0.10% of the change from the baseline" in view.summary


def test_ranks_have_their_share_of_the_colour_by_the_logarithm():
    assert rank_share(1, 1000) == 1 and rank_share(1000, 1000) == 0 and rank_share(10, 1000) == pytest.approx(2 / 3)
    assert rank_share(1, 1) == 1


def test_a_probable_guess_is_darker():
    def dark(probability):
        logits = torch.tensor([[[0.0, 0.0]], [[np.log(probability / (1 - probability)), 0.0]]])
        view = course.lens_view(Lens(logits, (0,), tokens_of(("a",)), Hostile(), "Made up"))
        shades = np.asarray(Image.open(io.BytesIO(view.png())).convert("RGB")) / 255
        return int((np.abs(shades - to_rgb(PLAIN)).max(-1) < 0.06).sum())

    assert dark(0.999) > dark(0.6) + 500


def test_every_shade_leaves_the_letters_readable():
    def light(colour):
        parts = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in to_rgb(colour)]
        return sum(factor * part for factor, part in zip((0.2126, 0.7152, 0.0722), parts, strict=True))

    for share in np.linspace(0, 1, 201):
        paper = light(shade(PLAIN, share))
        contrast = 1.05 / (paper + 0.05) if share >= LIGHT_FROM else (paper + 0.05) / 0.05
        assert contrast >= 4.5, share


def test_of_many_positions_the_last_are_shown_and_said():
    lens = lens_of(tuple(f"w{i}" for i in range(60)), model="Made up")
    view = course.lens_view(lens)
    assert parcel(view)["sheets"][0]["columns"] == [f"w{i}" for i in range(20, 60)]
    assert "Of 60 tokens the last 40 are shown" in view.summary and "Of 60 tokens the last 40" in view.page
    few = course.lens_view(lens, positions=[3, -1])
    assert parcel(few)["sheets"][0]["columns"] == ["w3", "w59"] and "2 of 60 tokens are shown" in few.summary
    whole = course.lens_view(lens, positions=range(60))
    assert len(parcel(whole)["sheets"][0]["columns"]) == 60 and "are shown" not in whole.summary
    for positions, message in (
        ([60], "no position 60"),
        ([], "nothing to show"),
        ([1, 1], "one twice"),
        ([-1, 59], "one twice"),
    ):
        with pytest.raises(ViewError, match=message):
            shown_positions(60, positions)


def test_what_was_cut_off_is_said():
    lens = course.lens(tiny.gpt2(), "cat " * 100, truncate=True)
    assert f"{lens.tokens.dropped} tokens were dropped" in course.lens_view(lens).summary


@pytest.mark.parametrize("kind", ["lens", "watch", "factors", "induction"])
@pytest.mark.parametrize("texts", [HOSTILE[:18], HOSTILE[18:]])
def test_hostile_tokens_add_no_element(kind, texts):
    given = {"model": texts[0]} if kind == "induction" else {"texts": texts, "model": texts[0]}
    view = MADE[kind](**given)
    outer = Elements(view.html)
    assert outer.names == ["div", "img", "iframe"]
    inner = Elements(outer.tags[2][1]["srcdoc"])
    assert sorted(inner.names) == sorted([*PAGE_TAGS, *["p"] * inner.names.count("p"), "script", "script"])
    assert inner.other == [] and view.alt.isprintable() and view.title.isprintable()
    assert all(line.isprintable() for line in view.summary.splitlines())
    view.html.encode()
    plain = MADE[kind](**({"model": "a"} if kind == "induction" else {"texts": ("a",) * len(texts), "model": "a"}))
    tags = [{one.tag for one in ElementTree.fromstring(one.svg()).iter()} for one in (plain, view)]
    assert tags[0] == tags[1] and not re.search(r"<!|<\?", view.svg())


def test_any_token_is_drawn_without_a_warning():
    texts = ("🦜", "你好世界", "$\\frac{1}{2}$", "שלום", "x" * 500, "", " ", "\n", "\ufe0f")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for kind in ("lens", "watch", "factors"):
            MADE[kind](texts=texts).svg()


@pytest.mark.parametrize("kind", MADE)
def test_same_input_gives_same_bytes_in_every_theme(kind):
    first, second = MADE[kind](), MADE[kind]()
    assert first.html == second.html and first.svg() == second.svg() and first.png() == second.png()


@pytest.mark.parametrize("kind", MADE)
def test_nothing_is_drawn_off_the_sheet(kind):
    shades = np.asarray(Image.open(io.BytesIO(MADE[kind]().png())).convert("RGB")) / 255
    assert (shades[:, -12:] > 0.99).all() and (shades[-12:] > 0.99).all()


@pytest.mark.parametrize("name", ["lens", "watch", "factors", "induction", "generation"])
def test_other_records_are_refused_with_advice(name):
    with pytest.raises(ViewError, match=rf"{name}_view draws an? \w+, not Tokens: call course\.\w+\(.*and give what"):
        getattr(course, f"{name}_view")(tokens_of(("a",)))


def test_themes_and_sheets_are_checked():
    with pytest.raises(ViewError, match="theme must be one of"):
        course.lens_view(lens_of(), theme="blue")
    with pytest.raises(ViewError, match="share from 0 to 1"):
        Sheet("a", ("r",), ("c",), ((Cell("", float("nan"), ""),),), ("0", "1"), "", "")
    with pytest.raises(ViewError, match="one for each column"):
        Sheet("a", ("r",), ("c", "d"), ((Cell("", 0.0, ""),),), ("0", "1"), "", "")


def test_records_show_themselves_and_their_words_where_a_picture_is_too_large(monkeypatch):
    lens = course.lens(tiny.gpt2(), TEXT)
    neurons = course.neurons(tiny.gpt2(), TEXT)
    records = [lens, lens.watch("!"), neurons.factors(2), course.generate(tiny.gpt2(), TEXT, 1), scores_of()]
    for record in records:
        assert "<iframe" in record._repr_mimebundle_()[0]["text/html"]
    monkeypatch.setattr("course.views.view.BUDGET", 10_000)
    for record in records[:4]:
        data, _ = record._repr_mimebundle_()
        assert set(data) == {"text/plain"} and "no picture" in data["text/plain"]
