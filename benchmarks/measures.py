"""How long `course.profile` takes on SST-2, beside the bare forward passes and beside one sentence at a time.

Three sides take the same sentences in turn, in one process: `course.profile`, with its tokenising; the model
alone on the same batches, tokenised beforehand, with attentions; and `course.attend` with each measure of
`course.measures` for each sentence, as a notebook does. A fourth runs the model alone sentence by sentence, without
any measure: no more than this can be gained from batches. Printed: seconds of each (medians over rounds) by the clock
and of processor time, which a busy machine changes less, and the ratios of both.
At last, the peak memory of a process that profiles a few sentences and of one that profiles many.

    python benchmarks/measures.py --data DIR [--sentences 2000] [--rounds 3] [--role minilm]

DIR holds ``sst2/train.tsv``, tab-separated, with a header line.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import torch

import course
from course import measures
from course.attention import Attention
from course.measures.corpus import Corpus, batches, padded, reading

FEW, MANY = 500, 4000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="the folder that holds sst2/train.tsv")
    parser.add_argument("--sentences", type=int, default=2000, help="how many (default: 2000)")
    parser.add_argument("--rounds", type=int, default=3, help="how often each side runs (default: 3)")
    parser.add_argument("--role", default="minilm", help="which model (default: minilm)")
    parser.add_argument("--peak", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    model = course.load(given.role, device="cpu")
    if given.peak:
        course.profile(model, sentences(given.data, given.peak))
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
        return
    show_times(model, list(sentences(given.data, given.sentences)), given.rounds)
    few, many = (peak(given.data, given.role, number) for number in (FEW, MANY))
    print(f"peak memory, {FEW:,} sentences: {few:.0f} MiB; {MANY:,}: {many:.0f} MiB; ratio {many / few:.3f}")


def sentences(folder: Path, number: int) -> Iterator[str]:
    """The first of the training set, read as they are needed."""
    with (folder / "sst2" / "train.tsv").open(encoding="utf-8") as lines:
        next(lines)
        yield from (line.split("\t")[0] for line in islice(lines, number))


def show_times(model: course.Model, texts: Sequence[str], rounds: int) -> None:
    same = in_batches(model, texts)
    sides: dict[str, Callable[[], object]] = {
        "course.profile": lambda: course.profile(model, texts),
        "the model alone, same batches": lambda: forward(model, same),
        "attend and measures, one by one": lambda: one_by_one(model, texts),
        "the model alone, one by one": lambda: alone(model, texts),
    }
    course.profile(model, texts[:8])  # once, for what is imported late
    one_by_one(model, texts[:8])
    found: dict[str, list[torch.Tensor]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, call in sides.items():
            found[name].append(taken(call))
    print(f"{len(texts):,} sentences, {torch.get_num_threads()} threads, medians of {rounds} rounds")
    print(f"{'what':34} {'clock':>9} {'processor':>11}   {'course.profile, as a part of it':>24}")
    medians = {name: torch.stack(values).quantile(0.5, dim=0) for name, values in found.items()}
    for name, median in medians.items():
        clock, processor = (f"{seconds:.2f} s" for seconds in median.tolist())
        by_clock, by_processor = map(ratio, (medians["course.profile"] / median).tolist())
        print(f"{name:34} {clock:>9} {processor:>11}   {by_clock:>9} {by_processor:>14}")


def in_batches(model: course.Model, texts: Sequence[str]) -> list[dict[str, torch.Tensor]]:
    """What `course.profile` gives the model."""
    found = []
    for window in Corpus(texts).windows():
        readings = [reading(model, item, 0, truncate=False) for item in window]
        chosen = batches([one.longest for one in readings], model.layers * model.heads)
        found += [padded(model, [readings[i] for i in batch]) for batch in chosen]
    return found


def forward(model: course.Model, inputs: Sequence[dict[str, torch.Tensor]]) -> None:
    with torch.no_grad():
        for batch in inputs:
            model.module(**batch, output_attentions=True)


def alone(model: course.Model, texts: Sequence[str]) -> None:
    with torch.no_grad():
        for text in texts:
            model.module(**model.tokenizer(text, return_tensors="pt"), output_attentions=True)


def one_by_one(model: course.Model, texts: Sequence[str]) -> None:
    """The measures of a profile, for each sentence."""
    for text in texts:
        att = course.attend(model, text)
        assert isinstance(att, Attention)
        stops = measures.punctuation(att.keys)
        for places in (att.keys.positions("[CLS]"), att.keys.positions("[SEP]"), att.keys.special_positions, stops):
            if places:
                measures.share_on(att, places)
        for measure in (
            measures.entropy, measures.normalised_entropy, measures.confidence, measures.mean_distance,
            measures.previous_token_share, measures.same_token_share, measures.next_token_share,
        ):  # fmt: skip
            measure(att)


def peak(folder: Path, role: str, number: int) -> float:
    """MiB that a fresh process holds at most."""
    command = [sys.executable, __file__, "--data", str(folder), "--role", role, "--peak", str(number)]
    kib = int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return kib / 1024 if sys.platform == "linux" else kib / 1024**2


def taken(call: Callable[[], object]) -> torch.Tensor:
    """Seconds by the clock, and of processor time."""
    clock, processor = time.perf_counter(), time.process_time()
    call()
    return torch.tensor([time.perf_counter() - clock, time.process_time() - processor])


def ratio(part: float) -> str:
    return f"{part:.2f}×" if part > 0.5 else f"1/{1 / part:.1f}"


if __name__ == "__main__":
    main()
