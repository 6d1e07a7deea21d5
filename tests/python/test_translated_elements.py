# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the elements written in Python say to a person in other languages."""

import os
import struct
from pathlib import Path

import pytest
from elements import launch, no_complaints  # noqa: F401

ELEMENTS = Path(__file__).resolve().parents[2] / "python-elements" / "python"
TEXT = (
    "ndamicsrc cannot be used: {error}. Install the package “nda” for this "
    "Python, or name its folder in PYTHONPATH."
)
GERMAN = (
    "Ohne das Paket „nda“ geht ndamicsrc nicht: {error}. Es lässt sich "
    "installieren, oder PYTHONPATH nennt seinen Ordner."
)


def write_catalogue(path, texts):
    """Compile `texts`, originals and their translations, as msgfmt does."""
    texts = {"": "Content-Type: text/plain; charset=UTF-8\n", **texts}
    pairs = sorted((a.encode(), b.encode()) for a, b in texts.items())
    n_texts = len(pairs)
    tables, strings = [b"", b""], b""
    begin = 28 + 16 * n_texts
    for i in range(2):
        for pair in pairs:
            at = begin + len(strings)
            tables[i] += struct.pack("<II", len(pair[i]), at)
            strings += pair[i] + b"\0"
    head = (0x950412DE, 0, n_texts, 28, 28 + 8 * n_texts, 0, begin)
    path.parent.mkdir(parents=True)
    path.write_bytes(struct.pack("<7I", *head) + b"".join(tables) + strings)


@pytest.fixture
def installed(tmp_path, gst):
    """What runs the elements as installed, with a catalogue in German."""
    if not gst.ElementFactory.find("ndatonesrc"):
        pytest.skip("there is no gst-python to load elements")
    locale = tmp_path / "locale"
    write_catalogue(
        locale / "de" / "LC_MESSAGES" / "nda-1.0.mo",
        {TEXT: GERMAN},
    )
    folder = tmp_path / "plugins" / "python"
    folder.mkdir(parents=True)
    for path in ELEMENTS.glob("*.py"):
        text = path.read_text().replace("@LOCALEDIR@", str(locale))
        (folder / path.name).write_text(text)
    others = [
        path
        for path in os.environ["GST_PLUGIN_PATH_1_0"].split(":")
        if Path(path) != ELEMENTS.parent
    ]

    def run(**env):
        return fail(
            tmp_path,
            GST_PLUGIN_PATH_1_0=":".join([*others, str(folder.parent)]),
            GST_PLUGIN_PATH=str(folder.parent),
            GST_REGISTRY=str(tmp_path / "registry"),
            **env,
        )

    return run


def fail(folder, **env):
    """What ndamicsrc says where the package `nda` cannot be imported."""
    (folder / "nda").mkdir()
    (folder / "nda" / "__init__.py").write_text("raise ImportError('gone')")
    env["PYTHONPATH"] = str(folder)
    return launch("ndamicsrc ! fakesink", **env).stderr


def test_errors_are_told_in_the_language_of_the_person(installed):
    assert GERMAN.format(error="gone") in installed(LANGUAGE="de")


def test_what_no_catalogue_has_is_told_in_english(installed):
    assert TEXT.format(error="gone") in installed(LANGUAGE="fr")


def test_not_installed_they_speak_english(gst, tmp_path):
    if not gst.ElementFactory.find("ndatonesrc"):
        pytest.skip("there is no gst-python to load elements")

    assert TEXT.format(error="gone") in fail(tmp_path, LANGUAGE="de")
