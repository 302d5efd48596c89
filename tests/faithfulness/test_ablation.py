"""ablated(): heads taken out by hooks, on every architecture, with proof, and nothing left behind."""

from __future__ import annotations

import pytest
import torch

import course
from course.faithfulness.ablation import ablated
from course.faithfulness.interventions import InterventionError, blocks_of
from course.projections import captured
from tests import tiny
from tests.readings import NAMES, Reading, reading

TEXT = "the cat sat on the mat"


@pytest.fixture(scope="module", params=NAMES)
def read(request, tmp_path_factory) -> Reading:
    return reading(request.param, tmp_path_factory.mktemp("marian"))


def test_every_head_is_found_with_its_projection(read):
    blocks = blocks_of(read.model)
    assert set(blocks) == ({"encoder", "decoder", "cross"} if read.model.encoder_decoder else {"self"})
    for own in blocks.values():
        assert [block.layer for block in own] == list(range(len(own))) and all(block.heads == 4 for block in own)


def test_all_heads_change_the_output_and_none_does_not_to_the_bit(read):
    before = read()
    with ablated(read.model, "all") as ablation:
        assert not torch.equal(read(), before)
    assert ablation.changed and ablation.change > 1e-3
    assert ablation.fired == sum(map(len, blocks_of(read.model).values())) and ablation.passes == 1
    with ablated(read.model, []) as ablation:
        assert torch.equal(read(), before)
    assert (ablation.fired, ablation.change, ablation.changed) == (0, 0.0, False)
    assert torch.equal(read(), before)


@pytest.mark.parametrize("by", ["zero", "mean"])
def test_the_model_is_restored_even_after_an_exception(read, by):
    before = read()
    hooks = [(len(part._forward_hooks), len(part._forward_pre_hooks)) for part in read.model.module.modules()]

    def broken() -> None:
        with ablated(read.model, "all", by=by):
            read()
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        broken()
    assert torch.equal(read(), before)
    assert [(len(p._forward_hooks), len(p._forward_pre_hooks)) for p in read.model.module.modules()] == hooks


def test_a_head_is_what_it_adds_through_the_output_projection(read):
    """Σ_h A_h V_h W_O + b: the loss of each head is A_h V_h times its rows of W_O, recomputed from the weights."""
    for kind, own in blocks_of(read.model).items():
        block = own[0]
        outputs, inputs = [], []
        handles = [
            block.projection.register_forward_hook(lambda _m, _a, out, kept=outputs: kept.append(out.detach())),
            block.projection.register_forward_pre_hook(lambda _m, args, kept=inputs: kept.append(args[0].detach())),
        ]
        try:
            read()
            weight = block.projection.weight.detach()
            weight = weight if type(block.projection).__name__ == "Conv1D" else weight.T
            size = inputs[0].shape[-1] // block.heads
            name = (0, 2) if kind == "self" else (kind, 0, 2)
            with ablated(read.model, {name}) as ablation:
                read()
            lost = inputs[0][..., 2 * size : 3 * size] @ weight[2 * size : 3 * size]
            assert torch.allclose(outputs[0] - outputs[-1], lost, atol=2e-6 * float(outputs[0].abs().max() + 1))
            assert ablation.fired == 1 and lost.abs().max() > 1e-4
        finally:
            for handle in handles:
                handle.remove()


def test_the_input_of_the_projection_is_attention_times_values():
    model = tiny.bert()
    block = blocks_of(model)["self"][1]
    kept = {}
    handles = [
        block.projection.register_forward_pre_hook(lambda _m, args: kept.update(heads=args[0].detach())),
        block.module.value.register_forward_hook(lambda _m, _a, out: kept.update(values=out.detach())),
    ]
    att = course.attend(model, TEXT)
    for handle in handles:
        handle.remove()
    values = kept["values"][0].unflatten(-1, (4, -1)).transpose(0, 1)
    assert torch.allclose((att.weights[1] @ values).transpose(0, 1).flatten(1), kept["heads"][0], atol=1e-6)


def test_the_mean_over_the_input_leaves_padding_out():
    model = tiny.classifier()
    tokenizer = model.tokenizer
    both = tokenizer([TEXT, "a rabbit"], return_tensors="pt", padding=True)
    single = tokenizer(["a rabbit"], return_tensors="pt")
    for by in ("zero", "mean"):
        with torch.no_grad(), ablated(model, {(0, 1), (1, 3)}, by=by):
            batched, alone = model.module(**both).logits[1], model.module(**single).logits[0]
        assert torch.allclose(batched, alone, atol=3e-6)


def test_the_mean_over_the_input_is_that_of_the_tokens():
    model = tiny.bert()
    block = blocks_of(model)["self"][1]
    kept = []
    inputs = model.tokenizer(TEXT, return_tensors="pt")
    with torch.no_grad():
        handle = block.projection.register_forward_pre_hook(lambda _m, args: kept.append(args[0][0].clone()))
        model.module(**inputs)
        with ablated(model, {(1, 0)}, by="mean"):
            handle.remove()
            handle = block.projection.register_forward_pre_hook(lambda _m, args: kept.append(args[0][0].clone()))
            model.module(**inputs)
        handle.remove()
    before, after = kept[0], kept[-1]
    assert torch.allclose(after[:, :8], before[:, :8].mean(0).expand(len(before), -1), atol=1e-6)
    assert torch.equal(after[:, 8:], before[:, 8:])


def test_the_mean_over_a_reference_is_over_all_of_its_tokens():
    model = tiny.bert()
    seen = []
    block = blocks_of(model)["self"][0]
    handle = block.projection.register_forward_pre_hook(lambda _m, args: seen.append(args[0][0].detach().clone()))
    texts = [TEXT, "a rabbit stops"]
    for text in texts:
        course.attend(model, text)
    expected = torch.cat(seen).mean(0)[16:24]
    handle.remove()
    seen.clear()
    with ablated(model, {(0, 2)}, by="mean", reference=texts) as ablation:
        handle = block.projection.register_forward_pre_hook(lambda _m, args: seen.append(args[0][0].detach().clone()))
        course.attend(model, "who reads")
        handle.remove()
    assert torch.allclose(seen[-1][:, 16:24], expected.expand(len(seen[-1]), -1), atol=1e-6)
    assert "their mean over a set" in repr(ablation)


def test_references_of_pairs_and_of_images(tmp_path):
    images = reading("vit", tmp_path)
    with ablated(images.model, {(0, 0)}, by="mean", reference=[{"pixel_values": torch.randn(1, 1, 16, 16)}]) as found:
        images()
    assert found.changed
    translator = reading("bart", tmp_path)
    with ablated(translator.model, {("cross", 0, 0)}, by="mean", reference=[(TEXT, TEXT)]) as found:
        translator()
    assert found.changed
    with (
        pytest.raises(InterventionError, match=r"pairs \(source, target\)"),
        ablated(translator.model, "all", by="mean", reference=[TEXT]),
    ):
        pass


def test_generation_runs_without_heads_and_a_mean_that_is_not_known_is_refused():
    model = tiny.gpt2()
    inputs = model.tokenizer("the cat", return_tensors="pt")
    with ablated(model, "all") as ablation:
        model.module.generate(**inputs, max_new_tokens=3, do_sample=False, pad_token_id=1)
    assert ablation.passes >= 3 and ablation.changed and ablation.fired == 2 * ablation.passes
    translator = tiny.bart()
    inputs = translator.tokenizer(TEXT, return_tensors="pt")
    arguments = {"max_new_tokens": 3, "do_sample": False, "num_beams": 1}
    with ablated(translator, {("encoder", 0, 0)}) as ablation:
        translator.module.generate(**inputs, **arguments)
    assert ablation.fired == 1 and ablation.changed is None and "not compared" in repr(ablation)

    def mean_in_generation(*, after_a_pass: bool) -> None:
        with ablated(translator, {("encoder", 0, 0)}, by="mean"):
            if after_a_pass:  # it does not lend its mask
                translator.module(**inputs, decoder_input_ids=torch.tensor([[2, 7]]))
            translator.module.generate(**inputs, **arguments)

    for after_a_pass in (False, True):
        with pytest.raises(InterventionError, match="give a reference"):
            mean_in_generation(after_a_pass=after_a_pass)


def test_attributions_can_be_taken_of_what_is_left():
    model = tiny.classifier()
    before = course.attribute(model, TEXT)
    with ablated(model, {(0, 0)}):
        inside = course.attribute(model, TEXT)
    assert inside.complete and not torch.allclose(inside.values, before.values)
    assert torch.equal(course.attribute(model, TEXT).values, before.values)


def test_a_block_without_a_forward_pass_says_so():
    for heads in ("all", [], {(0, 0)}):
        with (
            pytest.raises(InterventionError, match="no forward pass of tiny BERT ran inside"),
            ablated(tiny.bert(), heads),
        ):
            course.attend(tiny.distilbert(), TEXT)


def test_what_changes_nothing_is_warned_of():
    model = tiny.bert()
    weight = blocks_of(model)["self"][1].projection.weight
    before = weight.detach().clone()
    with torch.no_grad():
        weight[:, :8] = 0
    try:
        with pytest.warns(UserWarning, match="did NOT change"), ablated(model, {(1, 0)}):
            course.attend(model, TEXT)
    finally:
        with torch.no_grad():
            weight.copy_(before)


def test_ablations_nest():
    model = tiny.bert()
    with ablated(model, {(0, 0), (1, 2)}):
        together = course.attend(model, TEXT).weights
    with ablated(model, {(0, 0)}), ablated(model, {(1, 2)}):
        assert torch.equal(course.attend(model, TEXT).weights, together)


@pytest.mark.parametrize(
    ("heads", "options", "says"),
    [
        ({(2, 0)}, {}, r"no self head \(2, 0\), counted from 0; it has self: 2 layers × 4 heads"),
        ({(0, 4)}, {}, "no self head"),
        ({(0, -1)}, {}, "no self head"),
        ({("cross", 0, 0)}, {}, "no cross head"),
        ({(0, True)}, {}, r"a head is \(layer, head\), in whole numbers"),
        ([0], {}, r"a head is \(layer, head\)"),
        ("some", {}, "or 'all', not 'some'"),
        ("all", {"by": "noise"}, "by must be one of 'zero', 'mean'"),
        ("all", {"reference": [TEXT]}, "zeros need none"),
        ("all", {"by": "mean", "reference": TEXT}, "a list of at least one text"),
        ("all", {"by": "mean", "reference": []}, "a list of at least one text"),
    ],
)
def test_what_cannot_be_ablated_is_refused(heads, options, says):
    with pytest.raises(InterventionError, match=says), ablated(tiny.bert(), heads, **options):
        raise AssertionError("never reached")


def test_heads_of_a_translator_need_their_kind():
    says = r"\(kind, layer, head\) with a kind of encoder, decoder, cross"
    with pytest.raises(InterventionError, match=says), ablated(tiny.bart(), {(0, 0)}):
        raise AssertionError("never reached")


def test_unknown_projections_and_shared_layers_are_said():
    from transformers import AlbertConfig, AlbertModel

    sizes = tiny._sizes(tiny.word_pieces())
    albert = course.wrap(
        AlbertModel._from_config(AlbertConfig(**sizes, embedding_size=16), attn_implementation="eager"),
        tiny.word_pieces(), name="tiny ALBERT",
    )  # fmt: skip
    with pytest.raises(InterventionError, match="2 layers of self attention, but 1 attention blocks"):
        blocks_of(albert)
    model = tiny.classifier()
    layer = model.module.bert.encoder.layer[1].attention
    layer.end, layer.output = layer.output, torch.nn.Identity()
    with pytest.raises(InterventionError, match=r"output projection of bert\.encoder\.layer\.1\.attention\.self"):
        blocks_of(model)


def test_sites_are_those_that_projections_are_read_from(read):
    with captured(read.model.module) as sites:
        expected = {kind: [site.block for site in own] for kind, own in sites.items()}
    assert {kind: [block.module for block in own] for kind, own in blocks_of(read.model).items()} == expected
