"""``python -m course models``: list the models, verify, fetch ahead and share them; --help imports nothing heavy."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from course.models.catalogue import read_catalogue
from course.models.entries import PROFILES, Entry
from course.models.errors import ModelError, unknown
from course.models.listing import catalogue, spoken

ABOUT = "list the models, verify them, fetch them ahead, or export a folder that a class can share"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code: 0 all is well, 1 something failed, 2 the call was wrong."""
    options = _parser().parse_args(arguments)
    try:
        command: Callable[[argparse.Namespace], int] = options.run
        return command(options)
    except ModelError as error:
        return _say(error)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m course models", description=f"{ABOUT.capitalize()}.")
    parser.add_argument("--catalogue", type=Path, metavar="FILE", help="another catalogue than the course's own")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    commands.add_parser("list", help="every role and profile, as a table").set_defaults(run=_list)
    verify = commands.add_parser("verify", help="hash every file that is on this machine")
    _choice(verify, "all").set_defaults(run=_verify)
    pull = commands.add_parser("pull", help="fetch ahead, to load without a network later; goes on where it stopped")
    pull.add_argument(
        "--convert", action="store_true", help="make safetensors of weights that are published as a pickle only, once"
    )
    _choice(pull, "hub").set_defaults(run=_pull)
    export = commands.add_parser("export", help="copy verified files into a folder; read it with COURSE_MODELS=DIR")
    export.add_argument("folder", type=Path, metavar="DIR", help="a new folder, or one of an earlier export")
    _choice(export, "all").set_defaults(run=_export)
    return parser


def _choice(parser: argparse.ArgumentParser, default: str) -> argparse.ArgumentParser:
    parser.add_argument("roles", nargs="*", metavar="ROLE", help="roles such as minilm; without any, all of them")
    parser.add_argument("--profile", choices=(*PROFILES, "all"), default=default, help=f"default: {default}")
    return parser


def _list(options: argparse.Namespace) -> int:
    print(catalogue(options.catalogue))
    return 0


def _verify(options: argparse.Namespace) -> int:
    from course.models.verify import verify

    damaged = False
    for entry in _chosen(options):
        findings = verify(entry)
        if not findings:
            print(f"{entry.name}: not here")
        for finding in findings:
            count, all_of_them = len(finding.sound), len(entry.files)
            part = f"{count} of {all_of_them} files" if finding.missing else f"{count} files"
            if finding.sound:
                print(f"{entry.name}: {part} as they must be ({spoken(finding.size)}), in {finding.place}")
            for sentence in finding.damage:
                damaged = True
                print(f"{entry.name}: DAMAGED: {sentence}")
    return 1 if damaged else 0


def _pull(options: argparse.Namespace) -> int:
    from course.models.pull import pull

    code = 0
    chosen = _chosen(options)
    for i, entry in enumerate(chosen, start=1):
        print(f"[{i}/{len(chosen)}] {entry.name}, {spoken(entry.size)}", flush=True)
        try:
            pull(entry, convert=options.convert)
        except ModelError as error:
            code = _say(error)
    return code


def _export(options: argparse.Namespace) -> int:
    from course.models.export import export
    from course.models.files import here
    from course.models.shared import shared_folder

    shared_folder()  # a wrong COURSE_MODELS is told once, and not for every entry
    code, count = 0, 0
    for entry in _chosen(options):
        try:
            found = here(entry)
        except ModelError as error:
            code = _say(error)
            continue
        if found is None:
            print(f"{entry.name}: not here")
            continue
        new = export(entry, found, options.folder)
        print(f"{entry.name}: {len(found.paths)} files, {new} of them new", flush=True)
        count += 1
    if count:
        print(f"read it with COURSE_MODELS={options.folder}")
    elif not code:
        raise ModelError("nothing of this is on this machine; run python -m course models pull first")
    return code


def _chosen(options: argparse.Namespace) -> list[Entry]:
    """The entries asked for, each with what its stages need besides, and none twice."""
    roles = read_catalogue(options.catalogue)
    for name in options.roles:
        if name not in roles:
            print(unknown("role", name, roles), file=sys.stderr)
            raise SystemExit(2)
    entries = []
    for role in [roles[name] for name in options.roles] or roles.values():
        wanted = [entry for entry in role.entries if options.profile in (entry.profile, "all")]
        if options.roles and not wanted:
            raise ModelError(f"{role.name} has no {options.profile} entry; use --profile all")
        entries += wanted
    family = {part.place: part for entry in entries for part in entry.family}
    return list(family.values())


def _say(error: ModelError) -> int:
    print(error, file=sys.stderr, flush=True)
    return 1
