"""Small real things to load: a tiny checkpoint, a hub cache, a package that carries files, a hub on this machine."""

from __future__ import annotations

import hashlib
import json
import logging
import re
import shutil
import socket
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import huggingface_hub.constants
import pytest
import torch
from transformers import BertConfig, BertForSequenceClassification, BertModel, BertTokenizer

from tests.mirror import REVISION, put_into_cache, toml

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "cat", "sat", "on", "a", "mat", "##s"]
FILES = ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json")
REPO = "school/tiny"


@pytest.fixture
def tiny_config() -> BertConfig:
    """A config of its own for each test: save_pretrained writes the weights' type into it."""
    return tiny()


def tiny() -> BertConfig:
    return BertConfig(
        vocab_size=len(WORDS),
        hidden_size=8,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=20,
    )


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tiny BertModel and its tokenizer; read only."""
    folder = tmp_path_factory.mktemp("checkpoint")
    torch.manual_seed(0)
    BertModel(tiny()).save_pretrained(folder)
    tokenizer = BertTokenizer(vocab={word: i for i, word in enumerate(WORDS)}, model_max_length=16)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture
def files(checkpoint: Path) -> dict[str, bytes]:
    """The tiny checkpoint by file name, for a test to alter."""
    return {name: (checkpoint / name).read_bytes() for name in FILES}


def digests(files: Mapping[str, bytes]) -> dict[str, str]:
    return {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}


@pytest.fixture
def sha256(files: dict[str, bytes]) -> dict[str, str]:
    """The hash of each file of the tiny checkpoint as made."""
    return digests(files)


COMMON = {
    "title": "tiny",
    "task": "encoder",
    "architecture": "BertModel",
    "licence": "CC0-1.0",
    "languages": ["en"],
    "labels": [],
    "size": 1,
    "source": "the tests",
}


def write_catalogue(path: Path, roles: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> Path:
    """A catalogue with these entries by role and profile, each completed with the common fields."""
    lines: list[str] = []
    for role, entries in roles.items():
        for profile, entry in entries.items():
            lines.append(f"[{role}.{profile}]")
            lines.extend(f"{name} = {toml(value)}" for name, value in {**COMMON, **entry}.items())
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


@pytest.fixture
def catalogue(tmp_path: Path) -> Callable[..., Path]:
    """Write a catalogue whose role "tiny" has the entries given, each completed with the common fields."""
    return lambda **entries: write_catalogue(tmp_path / "tiny.toml", {"tiny": entries})


@pytest.fixture
def hub_entry(catalogue: Callable[..., Path]) -> Callable[..., Path]:
    """Write a catalogue whose role "tiny" is the tiny checkpoint on the hub."""
    return lambda **fields: catalogue(hub={"repo": REPO, "files": list(FILES), **fields})


@pytest.fixture
def hub_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty hub cache, and no hub that could be reached."""
    cache = tmp_path / "huggingface" / "hub"
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(cache))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_DISABLE_IMPLICIT_TOKEN", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_DISABLE_TELEMETRY", True)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        point_at(monkeypatch, closed.getsockname()[1])
    return cache


def point_at(monkeypatch: pytest.MonkeyPatch, port: int) -> None:
    """Let huggingface_hub 2.4 ask this port: it reads HF_ENDPOINT on import, into these two."""
    endpoint = f"http://127.0.0.1:{port}"
    template = endpoint + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", endpoint)
    monkeypatch.setattr(huggingface_hub.constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)


@pytest.fixture
def in_cache(hub_cache: Path) -> Callable[..., Path]:
    """Put files into the hub cache; gives the folder of the snapshot."""

    def put(files: Mapping[str, bytes], repo: str = REPO, revision: str = REVISION, ref: bool = True) -> Path:
        return put_into_cache(hub_cache, repo, files, revision, ref=ref)

    return put


@pytest.fixture
def saved(tmp_path: Path, files: dict[str, bytes]):
    """The files of another model with the tiny tokenizer."""

    def save(module: torch.nn.Module) -> dict[str, bytes]:
        folder = tmp_path / "saved"
        module.save_pretrained(folder)
        return {
            **files,
            **{name: (folder / name).read_bytes() for name in ("config.json", "model.safetensors")},
        }

    return save


LABELS = ["good", "bad", "neither"]


@pytest.fixture(scope="session")
def adapter(tmp_path_factory: pytest.TempPathFactory, checkpoint: Path) -> Path:
    """A folder with an adapter on the tiny checkpoint, with three labels, in float16; read only."""
    import peft
    from safetensors.torch import load_file, save_file

    folder = tmp_path_factory.mktemp("adapter")
    names = dict(enumerate(LABELS))
    config = BertConfig.from_pretrained(checkpoint, id2label=names, label2id={name: i for i, name in names.items()})
    torch.manual_seed(1)
    base = BertForSequenceClassification.from_pretrained(checkpoint, config=config)
    lora = peft.LoraConfig(r=2, target_modules=["query", "value", "intermediate.dense"], modules_to_save=["classifier"])
    with warnings.catch_warnings():  # peft 0.21 uses a name that transformers 5.23 deprecates
        warnings.simplefilter("ignore", FutureWarning)
        wrapped = peft.get_peft_model(base, lora)
    for parameter in wrapped.parameters():
        if parameter.requires_grad:
            torch.nn.init.normal_(parameter)
    wrapped.save_pretrained(folder)
    config.save_pretrained(folder)
    tensors = load_file(folder / "adapter_model.safetensors")
    half = {name: tensor.half() for name, tensor in tensors.items()}
    save_file(half, folder / "adapter_model.safetensors", metadata={"format": "pt"})
    settings = json.loads((folder / "adapter_config.json").read_text())
    (folder / "adapter_config.json").write_text(json.dumps(settings | {"base_model_name_or_path": "base"}))
    (folder / "README.md").unlink()
    (folder / "MODEL_CARD.md").write_text("# A judge that has seen nothing")
    return folder


class Course:
    """A catalogue of its own with a folder of weights beside it: the role "base", and "judge", an adapter on it."""

    def __init__(self, folder: Path) -> None:
        self.path, self.weights = folder / "catalogue.toml", folder / "weights"
        self.judge = self.weights / "judge"

    def write(self, **judge: Any) -> Path:
        """Describe the files as they are now; returns the catalogue's path."""
        common = {"size": 1, "scores": []}
        base = {**self._files("base"), **common, "title": "base"}
        entry = {
            **self._files("judge"),
            **common,
            "title": "judge",
            "base": "base",
            "task": "sequence-classification",
            "architecture": "BertForSequenceClassification",
            "labels": LABELS,
            "scores": [{"name": "accuracy", "value": 0.5, "data": "a coin"}],
            **judge,
        }
        return write_catalogue(self.path, {"base": {"shipped": base}, "judge": {"shipped": entry}})

    def _files(self, role: str) -> dict[str, Any]:
        files = {path.name: path.read_bytes() for path in sorted((self.weights / role).iterdir())}
        return {"sha256": digests(files), "mirrors": [{"weights": role}]}


@pytest.fixture
def own(tmp_path: Path, checkpoint: Path, adapter: Path) -> Course:
    """A course of its own, for a test to alter."""
    course = Course(tmp_path / "own")
    shutil.copytree(checkpoint, course.weights / "base")
    shutil.copytree(adapter, course.judge)
    course.write()
    return course


class Hub(ThreadingHTTPServer):
    """A hub on this machine: answers HEAD and GET of /{repo}/resolve/{revision}/{file}."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.repositories: dict[str, dict[str, dict[str, bytes]]] = {}
        self.main: dict[str, str] = {}
        self.gated: set[str] = set()
        self.breaks_off: set[str] = set()
        self.small: set[str] = set()
        self.status: int | None = None
        self.asked: list[str] = []
        self.ranges: list[str] = []

    def publish(self, files: Mapping[str, bytes], repo: str = REPO, revision: str = REVISION) -> None:
        self.repositories.setdefault(repo, {})[revision] = dict(files)
        self.main[repo] = revision


class _Answer(BaseHTTPRequestHandler):
    server: Hub
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self.answer(body=False)

    def do_GET(self) -> None:
        self.answer(body=True)

    def answer(self, body: bool) -> None:
        match = re.fullmatch(r"/(.+)/resolve/([^/]+)/(.+)", self.path)
        if match is None:  # huggingface_hub 2.4 asks once for a list that says which program calls it
            return self.refuse(404, "EntryNotFound")
        self.server.asked.append(f"{self.command} {self.path}")
        repo, revision, name = match.groups()
        revisions = self.server.repositories.get(repo, {})
        commit = self.server.main.get(repo) if revision == "main" else revision
        if self.server.status:
            return self.refuse(self.server.status, "")
        if repo in self.server.gated:
            return self.refuse(403, "GatedRepo")
        if not revisions:
            return self.refuse(404, "RepoNotFound")
        if commit not in revisions:
            return self.refuse(404, "RevisionNotFound")
        if name not in revisions[commit]:
            return self.refuse(404, "EntryNotFound")
        return self.give(name, revisions[commit][name], commit, body)

    def refuse(self, status: int, code: str) -> None:
        self.send_response(status)
        self.send_header("X-Error-Code", code)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def give(self, name: str, content: bytes, commit: str, body: bool) -> None:
        if body and self.headers["Range"]:
            self.server.ranges.append(self.headers["Range"])
        start = int((self.headers["Range"] or "bytes=0-")[len("bytes=") : -1])
        self.send_response(206 if start else 200)
        found = hashlib.sha1(content) if name in self.server.small else hashlib.sha256(content)
        self.send_header("ETag", f'"{found.hexdigest()}"')
        self.send_header("X-Repo-Commit", commit)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(len(content) - start))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.end_headers()
        if body and name in self.server.breaks_off:
            self.wfile.write(content[: len(content) // 2] if not start else b"")
            self.close_connection = True
        elif body:
            self.wfile.write(content[start:])

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def log_lines() -> Iterator[list[str]]:
    """What transformers and huggingface_hub log, in a list that grows."""
    lines: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())  # type: ignore[method-assign]
    loggers = [logging.getLogger(name) for name in ("transformers", "huggingface_hub")]
    for logger in loggers:
        logger.addHandler(handler)
    yield lines
    for logger in loggers:
        logger.removeHandler(handler)


@pytest.fixture
def hub(hub_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub that can be reached; it has no repository until a test publishes one."""
    with Hub() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        point_at(monkeypatch, server.server_address[1])
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def package(tmp_path: Path, checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Install a package "tiny-files" 1.0 that carries the tiny checkpoint and breaks when it is imported."""
    site = tmp_path / "site"
    data = site / "tiny_files" / "model"
    shutil.copytree(checkpoint, data)
    (site / "tiny_files" / "__init__.py").write_text("raise ImportError('nothing of a package may be run')")
    described = site / "tiny_files-1.0.dist-info"
    described.mkdir()
    (described / "METADATA").write_text("Metadata-Version: 2.1\nName: tiny-files\nVersion: 1.0\n")
    monkeypatch.syspath_prepend(site)
    return data


@pytest.fixture
def shipped_entry(catalogue: Callable[..., Path], sha256: dict[str, str]) -> Callable[..., Path]:
    """Write a catalogue whose role "tiny" is the tiny checkpoint in the package, then in the hub cache."""
    mirrors = [
        {"package": "tiny-files", "version": "1.0", "folder": "tiny_files/model"},
        {"repo": REPO, "revision": REVISION},
    ]
    return lambda **fields: catalogue(shipped={"sha256": sha256, "mirrors": mirrors, "scores": [], **fields})
