"""What loading a role imports, for a process that wants to have it ready before the first `load`."""

from __future__ import annotations

from collections.abc import Iterable

from course.models.catalogue import read_catalogue
from course.models.entries import TASKS

_LOADING = (
    "course.models.bars", "course.models.stages", "course.models.readers", "course.models.hub",
    "transformers.AutoTokenizer", "transformers.PreTrainedModel", "course.models.renamings",
)  # fmt: skip
_ADAPTERS = ("course.models.adapters", "peft.PeftModel")


def modules_for(roles: Iterable[str], profile: str = "shipped") -> tuple[str, ...]:
    """Dotted names (modules, and classes that transformers imports when they are named), each once.

    A role that the catalogue or the profile does not have needs nothing: its lesson will say so.

    >>> "transformers.BertModel" in modules_for(["minilm"])
    True
    """
    catalogue = read_catalogue()
    names: dict[str, None] = {}
    for role in roles:
        entry = getattr(catalogue.get(role), profile, None)
        if entry is not None:
            images = ("transformers.AutoImageProcessor",) if entry.task == "image-classification" else ()
            classes = (f"transformers.{TASKS[entry.task].auto_class}", f"transformers.{entry.architecture}")
            names |= dict.fromkeys([*_LOADING, *classes, *images, *(_ADAPTERS if entry.base else ())])
    return tuple(names)
