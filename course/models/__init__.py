"""Models by role: the catalogue, the files behind it, and `load`.

Nothing heavy is imported here: torch, transformers and huggingface_hub come with the first `load`.
"""

# `load` is imported at once: a later import of the module of this name would hide the function.
from course.models.catalogue import read_catalogue
from course.models.errors import ModelError
from course.models.load import load
from course.models.model import Limits, Model, wrap

__all__ = ["Limits", "Model", "ModelError", "load", "read_catalogue", "wrap"]
