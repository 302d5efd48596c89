"""The files of the shipped models: there, and each with its sha256."""

from __future__ import annotations

from collections.abc import Iterator

from course.doctor.findings import Finding, failed, passed


def weights() -> Iterator[Finding]:
    """A line for each shipped model that is damaged or not here, and one for all others."""
    from course.models.catalogue import read_catalogue
    from course.models.errors import ModelError
    from course.models.files import here
    from course.models.listing import spoken

    try:
        entries = [role.shipped for role in read_catalogue().values() if role.shipped]
    except (ModelError, OSError) as error:
        yield failed("models", str(error), "install the course again")
        return
    sound = []
    for entry in entries:
        try:
            files = here(entry)
        except ModelError as error:
            says, _, advice = str(error).rpartition("; ")
            yield failed(entry.role, says or str(error), advice)
            continue
        if files is None:
            yield failed(entry.role, "its files are not here", "install the course again, with all of its dependencies")
        else:
            sound.append(entry)
    if len(sound) == len(entries):
        size = sum(entry.size for entry in entries)
        yield passed("models", f"{len(entries)} shipped models whole ({spoken(size)}, every sha256 right)")
