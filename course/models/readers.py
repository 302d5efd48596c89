"""What feeds a model: its tokenizer, or its image processor, from verified files."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from course.models.entries import Entry
from course.models.errors import ModelError
from course.models.modules import unreadable

IMAGE_SETTINGS = ("preprocessor_config.json", "processor_config.json")


def reader(entry: Entry, folder: Path, paths: Mapping[str, Path], module: Any) -> Any:
    """The tokenizer or image processor in the folder, checked against the module that it feeds.

    ``paths`` are the files laid out in the folder, where they stay. Raises ModelError when there is none, or when
    it does not fit.
    """
    import transformers

    images = entry.task == "image-classification"
    if images and not any(name in paths for name in IMAGE_SETTINGS):
        raise ModelError(f"{entry.name} names no {IMAGE_SETTINGS[0]}; add it to the files in the catalogue")
    auto: Any = transformers.AutoImageProcessor if images else transformers.AutoTokenizer
    try:
        with warnings.catch_warnings():  # it recommends a package that only normalises punctuation
            warnings.filterwarnings("ignore", message="Recommended: pip install sacremoses", category=UserWarning)
            found = auto.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except Exception as error:  # transformers raises many kinds for files that are no tokenizer
        raise unreadable(entry, error, folder) from error
    if images:
        return found
    _check_words(entry, found, module)
    if hasattr(found, "spm_files"):  # MarianTokenizer of transformers 5.23 opens them again whenever it is copied
        found.spm_files = [str(paths[Path(file).name]) for file in found.spm_files]
    return found


def _check_words(entry: Entry, tokenizer: Any, module: Any) -> None:
    """Refuse a tokenizer without words, as transformers 5 makes from a folder that has no tokenizer."""
    if not tokenizer.get_vocab().keys() - set(tokenizer.all_special_tokens):
        raise ModelError(
            f"{entry.name}: its tokenizer has no words; name its files (tokenizer.json, or vocab.txt) in the catalogue"
        )
    rows = int(module.config.vocab_size)
    if tokenizer.vocab_size > rows:
        raise ModelError(
            f"{entry.name}: its tokenizer has {tokenizer.vocab_size} tokens, but the model {rows}; name the tokenizer "
            "that it was trained with"
        )
