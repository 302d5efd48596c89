"""What the catalogue is made of: roles, their entries, the places that have the files, measured scores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from course.models.errors import ModelError

Profile = Literal["shipped", "hub"]
PROFILES: tuple[Profile, ...] = ("shipped", "hub")

Stage = Literal["trained", "pretrained", "random"]
STAGES: tuple[Stage, ...] = ("trained", "pretrained", "random")
"""How far training has come: to the end; pre-training only, with a fresh head; not at all."""

READABLE = frozenset({".safetensors", ".json", ".txt", ".model", ".spm", ".md"})
"""File types that hold data and cannot run code when they are read; a pickle (.bin, .pt) can."""


@dataclass(frozen=True)
class Task:
    """What a checkpoint does: the transformers Auto class that loads it, and how its classes' names end."""

    auto_class: str
    endings: tuple[str, ...] = ()


TASKS: Mapping[str, Task] = {
    "encoder": Task("AutoModel"),
    "sequence-classification": Task("AutoModelForSequenceClassification", ("ForSequenceClassification",)),
    "question-answering": Task("AutoModelForQuestionAnswering", ("ForQuestionAnswering",)),
    "translation": Task("AutoModelForSeq2SeqLM", ("ForConditionalGeneration", "MTModel")),
    "causal-lm": Task("AutoModelForCausalLM", ("LMHeadModel", "ForCausalLM")),
    "image-classification": Task("AutoModelForImageClassification", ("ForImageClassification",)),
}
"""Every task that an entry may name."""

CLASSIFICATIONS = ("sequence-classification", "image-classification")
"""The tasks whose outputs have labels."""


@dataclass(frozen=True)
class Score:
    """A measured quality: name, value, the data it was measured on, and its 95 % interval where there is one."""

    name: str
    value: float
    data: str
    interval: tuple[float, float] | None = None

    def __str__(self) -> str:
        places = 3 if abs(self.value) < 10 else 1  # shares and bits have three, BLEU has one
        spread = "" if self.interval is None else " [{:.{p}f}, {:.{p}f}]".format(*self.interval, p=places)
        return f"{self.name} {self.value:.{places}f}{spread} on {self.data}"


@dataclass(frozen=True)
class PackageMirror:
    """An installed Python package that carries the files as data."""

    package: str
    version: str
    folder: str


@dataclass(frozen=True)
class WeightsMirror:
    """A folder of weights beside the catalogue file: in this package, or where a recipe has put it."""

    folder: Path


@dataclass(frozen=True)
class HubMirror:
    """A repository of the hub, or its copy in the hub cache; without a revision, that locked on first use."""

    repo: str
    revision: str | None = None


@dataclass(frozen=True)
class SharedMirror:
    """A folder that ``python -m course models export`` wrote, named by COURSE_MODELS."""

    folder: Path


Mirror = PackageMirror | WeightsMirror | HubMirror | SharedMirror


@dataclass(frozen=True)
class Entry:
    """One checkpoint behind a role.

    ``architecture`` is the class expected after loading; ``labels`` is empty where the checkpoint's own
    serve, or where there are none; ``size`` is the weights' size in bytes; ``files`` are those read, and
    ``sha256`` gives the hash of each file for which one is established (all of them when shipped).
    ``mirrors`` are the places that have the files, in the order in which they are tried.

    With a ``base``, the files are an adapter on it, and the base gives the body and the tokenizer.
    ``pretrained`` is the checkpoint that was fine-tuned into this one; its labels and tokenizer are this one's.
    """

    role: str
    profile: Profile
    title: str
    task: str
    architecture: str
    licence: str
    languages: tuple[str, ...]
    labels: tuple[str, ...]
    size: int
    source: str
    files: tuple[str, ...]
    sha256: Mapping[str, str]
    mirrors: tuple[Mirror, ...]
    scores: tuple[Score, ...] = ()
    base: Entry | None = None
    pretrained: Entry | None = None
    part: str = ""

    def __post_init__(self) -> None:
        if self.labels and self.task not in CLASSIFICATIONS:
            raise ModelError(f"{self.role}.{self.profile}.labels must be empty, for {self.task} has none")

    @property
    def name(self) -> str:
        """How messages call it, such as ``minilm (hub)``; a pre-trained part is ``sentiment (hub, pretrained)``."""
        return f"{self.role} ({', '.join(filter(None, (self.profile, self.part)))})"

    @property
    def place(self) -> str:
        """Where it lies in a shared folder, such as ``minilm/hub`` or ``sentiment/hub-pretrained``."""
        return f"{self.role}/{'-'.join(filter(None, (self.profile, self.part)))}"

    @property
    def family(self) -> tuple[Entry, ...]:
        """This entry, and what its stages are made of besides: its base, or its checkpoint before fine-tuning."""
        return tuple(entry for entry in (self, self.base, self.pretrained) if entry is not None)

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The stages that can be loaded; one that was trained from scratch has no pre-trained stage."""
        return tuple(stage for stage in STAGES if stage != "pretrained" or self.base or self.pretrained)

    @property
    def weights(self) -> tuple[str, ...]:
        """Those of the files that hold what was learnt."""
        return tuple(name for name in self.files if name.endswith((".safetensors", ".safetensors.index.json")))

    @property
    def without_weights(self) -> tuple[str, ...]:
        """The other files: they say what the model is and how it reads."""
        return tuple(name for name in self.files if name not in self.weights)


@dataclass(frozen=True)
class Role:
    """One role with its two profiles: shipped works with no network, hub is the checkpoint the field uses."""

    name: str
    shipped: Entry | None = None
    hub: Entry | None = None

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The entries that it has, shipped first."""
        return tuple(entry for entry in (self.shipped, self.hub) if entry is not None)
