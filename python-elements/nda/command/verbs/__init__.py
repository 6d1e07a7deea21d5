# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every verb of the command `nda`, in the order in which help shows them."""

from __future__ import annotations

import importlib
import importlib.util
from dataclasses import dataclass
from types import ModuleType

# What has to be there before a verb runs
NOTHING = "nothing"
CHECKOUT = "checkout"  # the sources
KEYS = "keys"  # the program nda-key; a checkout is built if it lacks it
ELEMENTS = "elements"  # GStreamer finds nda's elements; a checkout is built


@dataclass(frozen=True)
class Verb:
    """One verb: its name, what it does, and the module that does it."""

    name: str
    summary: str
    needs: str = NOTHING

    @property
    def module(self) -> str:
        return f"{__name__}.{self.name.replace('-', '_')}"

    def is_there(self) -> bool:
        """Whether this nda has the verb's module."""
        return importlib.util.find_spec(self.module) is not None

    def load(self) -> ModuleType:
        return importlib.import_module(self.module)


VERBS = [
    Verb("demo", "play ten seconds of voices through a Python plugin, and "
         "show the figures", CHECKOUT),
    Verb("run", "run a plugin over a file or a folder of files", ELEMENTS),
    Verb("mic", "put a plugin between a microphone and all programs",
         ELEMENTS),
    Verb("speaker", "put a plugin between all programs and a speaker",
         ELEMENTS),
    Verb("new-plugin", "write a new plugin and its test"),
    Verb("check-plugin", "check which rules of the plugin contract a plugin "
         "keeps", ELEMENTS),
    Verb("install", "make GStreamer elements of plugin files", ELEMENTS),
    Verb("uninstall", "remove installed plugins", ELEMENTS),
    Verb("plugins", "list the plugins that can be used by their name",
         ELEMENTS),
    Verb("keygen", "write a new key for encrypted audio, and show its "
         "fingerprint", KEYS),
    Verb("keyinfo", "list the keys of a file by their fingerprints",
         KEYS),
    Verb("repair", "correct the sizes in a WAV file whose writer was killed"),
    Verb("build", "build nda in build/", CHECKOUT),
    Verb("shell", "open a shell in which GStreamer and Python find the build",
         CHECKOUT),
    Verb("test", "run all tests, or the tests that are named", CHECKOUT),
    Verb("bench", "measure the cost of a block, beside the alternatives",
         CHECKOUT),
    Verb("soak", "run the tests that take minutes to hours", CHECKOUT),
    Verb("help", "show this list, or the help of one verb"),
]


def present() -> list[Verb]:
    """The verbs whose modules this nda has."""
    return [verb for verb in VERBS if verb.is_there()]


def find(name: str) -> Verb | None:
    return next((verb for verb in present() if verb.name == name), None)
