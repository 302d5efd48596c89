import numpy as np
import pytest
import torch

from course.differences.attention_diff import diff
from course.views.heats import LEAST_SCALE, heats_of_changes, heats_of_weights, signed_bytes
from course.views.selection import choices_of, parts_of
from tests.views.synthetic import PAIR, attention, encoder_decoder


def pair_heats(before, after):
    parts = parts_of(before)
    return heats_of_changes(parts, [diff(before, after)], choices_of(parts)), choices_of(parts)


@pytest.mark.parametrize("scale", [1.0, 0.3, 0.013])
def test_changes_are_off_by_at_most_one_in_510_of_the_scale_and_zero_stays_zero(scale):
    change = torch.cat([torch.linspace(-scale, scale, 10_001), torch.zeros(1)])
    found = signed_bytes(change, scale)
    assert np.abs(found * scale / 127.5 - change.numpy()).max() <= 2 * scale / 510 + 1e-7
    assert (found[-1], found.min(), found.max()) == (0, -127, 127)
    assert (np.sign(found) == np.sign(change.numpy()))[found != 0].all()


def test_planes_are_the_weights_before_and_then_the_changes():
    before, after = attention(2, 3, seed=1), attention(2, 3, seed=2)
    heats, _ = pair_heats(before, after)
    plane = np.frombuffer(heats.planes()[0], np.uint8)
    size = before.weights.numel()
    assert plane.size == 2 * size
    assert np.abs(plane[:size] / 255 - before.weights.flatten().numpy()).max() <= 1 / 510 + 1e-7
    change = plane[size:].view(np.int8) * heats.scale / 127.5
    assert np.abs(change - (after.weights - before.weights).flatten().numpy()).max() <= heats.scale / 255 + 1e-7


def test_one_scale_is_the_largest_change_of_all_that_is_there():
    before, after = encoder_decoder(), encoder_decoder()
    rows = after.cross.weights[0, 0]
    rows[0] = torch.eye(rows.shape[1])[rows[0].argmin()]
    parts = parts_of(before)
    differences = [diff(getattr(before, name), getattr(after, name)) for name in ("encoder", "decoder", "cross")]
    heats = heats_of_changes(parts, differences, choices_of(parts))
    assert heats.scale == differences[2].change.abs().max().item() > 0.5
    assert heats.ticks == (f"−{heats.scale:.3f}", "0", f"+{heats.scale:.3f}")


def test_rounding_errors_do_not_fill_the_scale():
    before = attention()
    heats, _ = pair_heats(before, attention())
    assert heats.scale == LEAST_SCALE and heats.digits == 3
    assert heats.tables == ((),)


def test_tables_are_those_of_the_record_block_by_block():
    before, after = attention(2, 3, PAIR, second=6, seed=1), attention(2, 3, PAIR, second=6, seed=2)
    heats, choices = pair_heats(before, after)
    for choice, table in zip(choices, heats.tables, strict=True):
        expected = diff(before, after).moved(10, rows=choice.rows, columns=choice.columns)
        assert [row.place for row in table] == [(m.layer, m.head, m.row, m.column) for m in expected]
        for row, one in zip(table, expected, strict=True):
            assert row.cells[0] == f"{one.layer}·{one.head}" and row.cells[1] == f"{one.query} → {one.key}"
            numbers = [float(text.replace("−", "-")) for text in row.cells[2:]]
            assert np.abs(np.array(numbers) - (one.before, one.after, one.change)).max() <= 0.0005 + 1e-9


def test_weights_have_their_strongest_links_and_a_scale_from_0_to_1():
    att = attention(2, 3)
    parts = parts_of(att)
    heats = heats_of_weights(parts, choices_of(parts))
    assert (heats.scale, heats.ticks, heats.signed) == (1.0, ("0", "1"), False)
    first = heats.tables[0][0]
    assert att.weights[first.place].item() == att.weights.max().item()
    assert first.cells[2] == f"{att.weights.max().item():.3f}"
    assert heats.planes() == [att.weights.mul(255).round().byte().numpy().tobytes()]
