"""What a run leaves behind: weights in half precision, tokenizer and configuration, laid out for `course.load`.

A run's folder holds `weights/ROLE/` with the files and `catalogue.toml` with their entry, so that
`course.load(ROLE, catalogue=FOLDER / "catalogue.toml")` reads the result as the course will.
"""

from __future__ import annotations

import copy
import hashlib
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tomlkit

from course.models.entries import Score
from course.training.recipe import Recipe, Trained

CARD = "MODEL_CARD.md"
WEIGHTS = ("model.safetensors", "adapter_model.safetensors")


def write_weights(recipe: Recipe, trained: Trained, folder: Path) -> Path:
    """The files of a trained model, in `folder/weights/ROLE`; what lay there before is replaced."""
    place = folder / "weights" / recipe.role
    unfinished = place.with_name(f"{place.name}.unfinished")
    for old in (place, unfinished):
        shutil.rmtree(old, ignore_errors=True)
    unfinished.mkdir(parents=True)
    if recipe.base is None:
        _write_whole(recipe, trained.module, unfinished)
    else:
        _write_adapter(recipe, trained.module, unfinished)
    if trained.tokenizer is not None:
        _write_tokenizer(trained.tokenizer, unfinished)
    for file in unfinished.iterdir():
        file.chmod(0o644)  # safetensors 0.8 lets nobody else read what it writes
    unfinished.replace(place)
    return place


def write_entry(recipe: Recipe, folder: Path, scores: Sequence[Score]) -> Path:
    """The catalogue entry of the files in `folder/weights/ROLE`, in `folder/catalogue.toml`."""
    place = folder / "weights" / recipe.role
    files = {path.name: path for path in sorted(place.iterdir()) if path.name != CARD}
    digests = {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files.items()}
    entry = {
        "title": recipe.title,
        "task": recipe.task,
        "architecture": recipe.architecture,
        "licence": recipe.licence,
        "languages": list(recipe.languages),
        "labels": list(recipe.labels),
        "size": next(files[name].stat().st_size for name in WEIGHTS if name in files),
        "source": f"this course's own training (python -m course.training {recipe.role})",
        **({} if recipe.base is None else {"base": recipe.base}),
        "sha256": digests,
        "mirrors": [{"weights": recipe.role}],
        "scores": [_score(score) for score in scores],
    }
    path = folder / "catalogue.toml"
    path.write_text(tomlkit.dumps({recipe.role: {"shipped": entry}}), encoding="utf-8")
    return path


def _write_whole(recipe: Recipe, module: Any, place: Path) -> None:
    half = copy.deepcopy(module).cpu().half()
    half.config._name_or_path = recipe.role
    half.save_pretrained(place)


def _write_adapter(recipe: Recipe, module: Any, place: Path) -> None:
    import torch
    from peft import get_peft_model_state_dict
    from safetensors.torch import save_file

    # The default asks the hub for the base by its name, to see whether its vocabulary has grown.
    state = get_peft_model_state_dict(module, save_embedding_layers=False)
    half = {key: value.detach().cpu().to(torch.float16).contiguous() for key, value in state.items()}
    save_file(half, place / "adapter_model.safetensors", metadata={"format": "pt"})
    settings = module.peft_config["default"].to_dict()
    # peft 0.21 writes the base's path on the machine that trained, and lists in the order of a set.
    settings |= {"base_model_name_or_path": recipe.base, "inference_mode": True}
    plain = {key: sorted(value) if isinstance(value, set) else value for key, value in settings.items()}
    _write_json(plain, place / "adapter_config.json")
    config = module.get_base_model().config
    _write_json({**config.to_dict(), "_name_or_path": recipe.role}, place / "config.json")


def _write_tokenizer(tokenizer: Any, place: Path) -> None:
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is not None:  # tokenizer.json would keep the padding and truncation of the last batch
        backend.no_padding()
        backend.no_truncation()
    tokenizer.save_pretrained(place)


def _write_json(content: Any, path: Path) -> None:
    text = json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False, default=str)
    path.write_text(text + "\n", encoding="utf-8")


def _score(score: Score) -> dict[str, Any]:
    found: dict[str, Any] = {"name": score.name, "value": round(score.value, 4)}
    if score.interval is not None:
        found["interval"] = [round(end, 4) for end in score.interval]
    return {**found, "data": score.data}
