# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The texts of installed plugins: their place and their content."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path

ESCAPES = {"\\\\": "\\", "\\n": "\n", "\\r": "\r", "\\t": "\t", "\\s": " "}


class Failure(Exception):
    """What happened, to what, and what to do about it: one sentence."""


def folder() -> Path:
    """Return the folder of the texts; GStreamer looks into the same one."""
    named = os.environ.get("NDA_INSTALLED_DIR")
    if named:
        return Path(named)
    data = os.environ.get("XDG_DATA_HOME", "")
    home = Path(data) if data else Path.home() / ".local" / "share"
    return home / "nda" / "plugins"


def element_stem(text: str) -> str:
    """Return the part after `nda-` in the name of an element."""
    # “ä” becomes “a” and an accent
    split = unicodedata.normalize("NFKD", text.lower())
    plain = "".join(c for c in split if not unicodedata.combining(c))
    stem = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    if not stem:
        raise Failure(
            f"“{text}” has no letter and no digit that an element's name can "
            "be made of. Name it with --name."
        )
    return stem


def checksum_of(path: str) -> str:
    """Return the SHA-256 of a file, "" if it cannot be read."""
    try:
        return hashlib.sha256(Path(path).read_bytes()).hexdigest()
    except OSError:
        return ""


def escape(value: str) -> str:
    """Escape a text as the value of a key file."""
    for written, plain in ESCAPES.items():
        if plain != " ":
            value = value.replace(plain, written)
    return "\\s" + value[1:] if value.startswith(" ") else value


def unescape(value: str) -> str:
    return re.sub(
        r"\\.", lambda found: ESCAPES.get(found[0], found[0]), value
    )


@dataclass
class Description:
    """The declarations of a plugin, read from its text.

    Attributes
    ----------
    plugin : dict
        The keys of the group “plugin”.
    parameters : dict of dict
        The keys of each parameter's group, by the parameter's name.
    """

    text: str
    plugin: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, dict[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        group: dict[str, str] = {}
        for line in self.text.splitlines():
            if line.startswith("[") and line.endswith("]"):
                group = self._group(line[1:-1])
            elif "=" in line and not line.startswith("#"):
                key, _, value = line.partition("=")
                group[key.strip()] = unescape(value.lstrip())

    def _group(self, name: str) -> dict[str, str]:
        if name.startswith("parameter "):
            return self.parameters.setdefault(name[10:].strip(), {})
        return self.plugin if name == "plugin" else {}

    def is_broken(self) -> bool:
        return not {"name", "role", "path", "plugin"} <= self.plugin.keys()

    def state(self) -> str:
        """Return why the element would not run, or ""."""
        if self.is_broken():
            return "broken text"
        now = checksum_of(self.plugin["path"])
        if not now:
            return "file is gone"
        return "" if now == self.plugin.get("checksum") else "file was changed"


def read_all() -> dict[str, Description]:
    """Return all descriptions, by the names of the elements without `nda-`."""
    found = {}
    for path in sorted(folder().glob("[!.]*.ini")):
        text = path.read_text(encoding="utf-8", errors="replace")
        found[path.stem] = Description(text)
    return found


def keep(stem: str, text: str, more: dict[str, str]) -> None:
    """Write a text, with more keys in its group “plugin”, in one step."""
    keys = "".join(f"{key}={escape(value)}\n" for key, value in more.items())
    text = text.replace("[plugin]\n", "[plugin]\n" + keys, 1)
    try:
        folder().mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=folder(), prefix=".")
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(name, folder() / f"{stem}.ini")
    except OSError as error:
        raise Failure(
            f"“{folder()}” cannot be written: {error.strerror}. Name another "
            "folder with NDA_INSTALLED_DIR, here and for GStreamer."
        ) from error


def forget(stem: str) -> bool:
    """Remove a text; return whether there was one."""
    try:
        (folder() / f"{stem}.ini").unlink()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise Failure(
            f"“{folder() / stem}.ini” cannot be removed: {error.strerror}"
        ) from error
    return True
