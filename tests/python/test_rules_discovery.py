# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Rules 11.2 and 12 of the plugin contract: where plugins are found."""

import numpy as np
import pytest

BLOCK = 512

# What a plugin file may look like whose name is {name!r}: as most do, which
# can be read from the text, and as only running it tells.
WAYS = {
    "spelled out": ("", "PluginInfo({name!r}, {rest})"),
    "by keyword": ("", "PluginInfo(name={name!r}, {rest})"),
    "constant": ("NAME = {name!r}\n", "PluginInfo(NAME, {rest})"),
    "computed": ("", "PluginInfo('{name:.1}' + {name!r}[1:], {rest})"),
    "only when initialised": ("", "PluginInfo(self.name, {rest})"),
}
REST = (
    "version='1.0', author='nda', description='', "
    "plugin_type=PluginType.PROCESSOR"
)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Makes a folder of the search path, empty at first."""
    monkeypatch.delenv("NDA_PLUGIN_PATH", raising=False)

    def make(name):
        path = tmp_path / name
        path.mkdir()
        return path

    return make


@pytest.fixture
def add_plugin(write_noting_plugin):
    """Puts a plugin into a folder that sets every sample to `level`."""

    def add(folder, stem, name, level=1, way="spelled out", text=""):
        before, info = (
            part.format(name=name, rest=REST) for part in WAYS[way]
        )
        source = write_noting_plugin(
            f"""
            def process_audio(self, buffer):
                buffer.data[:] = {level}
                return True
            Plugin.process_audio = process_audio
            """
        ).read_text()
        old = (
            'return PluginInfo("Test", "1.0", "nda", "A test", '
            "PluginType.PROCESSOR)"
        )
        assert old in source
        source = before + source.replace(old, "return " + info)
        if way == "only when initialised":
            source += (
                "def initialize(self):\n"
                "    note('initialize')\n"
                f"    self.name = {name!r}\n"
                "    return True\n"
                "Plugin.initialize = initialize\n"
            )
        path = folder / f"{stem}.py"
        path.write_text(f"{source}\nnote('runs', {stem!r})\n{text}\n")
        return path

    return add


def level_of(run, plugin, **properties):
    outcome = run(plugin, [np.zeros((BLOCK, 2))], **properties)
    assert outcome.error is None, outcome.error.message
    return outcome.frames[0, 0]


def error_of(run, plugin, **properties):
    outcome = run(plugin, [], **properties)
    assert outcome.error is not None
    return outcome.error.message


@pytest.mark.parametrize("way", WAYS)
def test_12_2_display_name_finds_the_file(run, folder, add_plugin, way):
    here = folder("here")
    add_plugin(here, "a_b", "Radio: 1/2 “ü”", level=5, way=way)
    add_plugin(here, "other", "Other", level=6, way=way)

    assert level_of(run, "Radio: 1/2 “ü”", plugin_path=here) == 5


def test_12_2_path_stem_and_display_name_in_this_order(
    run, folder, add_plugin, tmp_path, monkeypatch
):
    here = folder("here")
    add_plugin(here, "one", "two", level=1)
    add_plugin(here, "two", "one", level=2)
    add_plugin(here, "three", "Third", level=3)
    monkeypatch.chdir(tmp_path)

    assert level_of(run, "one", plugin_path=here) == 1
    assert level_of(run, "two", plugin_path=here) == 2
    assert level_of(run, "here/two.py", plugin_path=here) == 2
    assert level_of(run, here / "three.py", plugin_path="") == 3
    assert level_of(run, "Third", plugin_path=here) == 3


def test_12_2_display_name_is_compared_to_the_letter(
    run, folder, add_plugin
):
    here = folder("here")
    add_plugin(here, "one", "Radio Voice")

    message = error_of(run, "radio voice", plugin_path=here)

    assert "There is no plugin “radio voice”" in message
    assert "one (“Radio Voice”)" in message


def test_12_2_installed_plugins_have_display_names(run, folder):
    assert run("Passthrough", [np.zeros((BLOCK, 2))]).error is None


def test_12_2_name_of_two_is_an_error_that_names_both(
    run, folder, add_plugin
):
    here = folder("here")
    files = [add_plugin(here, stem, "Twin") for stem in ("a", "b")]
    add_plugin(here, "c", "Only child", level=3)

    message = error_of(run, "Twin", plugin_path=here)

    assert "More than one plugin is called “Twin”" in message
    assert all(str(file) in message for file in files)
    assert level_of(run, "Only child", plugin_path=here) == 3


def test_12_2_discovery_runs_nothing_that_can_be_read(
    run, folder, add_plugin, journal
):
    here = folder("here")
    add_plugin(here, "wanted", "Wanted")
    for way in ("spelled out", "by keyword"):
        add_plugin(here, way.replace(" ", "_"), way, way=way)

    level_of(run, "Wanted", plugin_path=here)

    assert [what for what in journal() if what[0] == "runs"] == [
        ["runs", "wanted"]
    ]


@pytest.mark.parametrize("way", ["computed", "only when initialised"])
def test_12_2_discovery_leaves_nothing_open(
    run, folder, add_plugin, journal, way
):
    here = folder("here")
    add_plugin(here, "a", "Other", way=way)
    add_plugin(here, "b", "Wanted")

    level_of(run, "Wanted", plugin_path=here)

    asked = journal()[: journal().index(["runs", "b"])]
    initialised = [["initialize"]] if way == "only when initialised" else []
    assert asked == [["runs", "a"], *initialised, ["shutdown"]]


def test_12_2_plugin_is_asked_again_only_when_its_file_changed(
    run, folder, add_plugin, journal
):
    here = folder("here")
    add_plugin(here, "a", "Other", way="constant")
    add_plugin(here, "b", "Wanted", level=2)
    for _ in range(2):
        assert level_of(run, "Wanted", plugin_path=here) == 2
    assert journal().count(["runs", "a"]) == 1

    add_plugin(here, "a", "Another name", level=3, way="constant")

    assert level_of(run, "Another name", plugin_path=here) == 3


UNREADABLE = {
    "assigned": "Plugin.get_info = lambda self: other()",
    "by setattr": "setattr(Plugin, 'get_info', lambda self: other())",
    "subclass": """
class Sub(Plugin):
    def get_info(self):
        return other()
create_plugin = Sub
""",
    "another class": """
class Name:
    name, type = "Wanted", PluginType.PROCESSOR
PluginInfo = lambda *args, **words: Name
""",
}


@pytest.mark.parametrize("how", UNREADABLE)
def test_12_2_what_is_spelled_out_is_not_believed_beyond_doubt(
    run, folder, add_plugin, how
):
    here = folder("here")
    other = """
def other():
    return PluginInfo("Wanted", "1", "nda", "", PluginType.PROCESSOR)
"""
    add_plugin(here, "a", "Wrong", level=7, text=other + UNREADABLE[how])

    assert level_of(run, "Wanted", plugin_path=here) == 7


def test_12_2_broken_neighbours_do_no_harm(run, folder, add_plugin):
    here = folder("here")
    add_plugin(here, "wanted", "Wanted", level=4)
    for stem, text in {
        "a": "def broken(:",
        "b": "import no_such_module",
        "c": "import sys; sys.exit(3)",
        "d": "x = 1",
        "e": "\x00",
    }.items():
        (here / f"{stem}.py").write_text(text)
    (here / "f.py").mkdir()
    (here / "g.py").symlink_to("nowhere")

    assert level_of(run, "Wanted", plugin_path=here) == 4
    assert "among wanted (“Wanted”)." in error_of(
        run, "Unwanted", plugin_path=here
    )


HELPERS = [
    "_private",
    "__init__",
    "setup_build",
    "base_plugin",
    "plugin_loader",
    "cython_compiler",
    "test_plugins",
]


@pytest.mark.parametrize("stem", HELPERS)
def test_12_1_helpers_are_no_candidates(run, folder, add_plugin, stem):
    here = folder("here")
    path = add_plugin(here, stem, "Helper", level=2)
    add_plugin(here, "real", "Real")

    for name in (stem, "Helper"):
        assert f"There is no plugin “{name}”" in error_of(
            run, name, plugin_path=here
        )
    if stem != "base_plugin":  # it would stand in for our own
        assert level_of(run, path, plugin_path=here) == 2


def test_12_1_only_py_files_directly_in_the_folder_are_candidates(
    run, folder, add_plugin
):
    here = folder("here")
    below = here / "below"
    below.mkdir()
    add_plugin(below, "deep", "Deep")
    add_plugin(here, "real", "Real", level=3)
    add_plugin(here, "text", "Text").rename(here / "text.txt")

    for name in ("deep", "Deep", "text", "Text"):
        error_of(run, name, plugin_path=here)
    assert level_of(run, "Real", plugin_path=here) == 3


def test_12_1_first_folder_with_candidates_wins(run, folder, add_plugin):
    empty, helpers, first, second = map(
        folder, ("empty", "helpers", "first", "second")
    )
    add_plugin(helpers, "_helper", "Voice", level=1)
    add_plugin(first, "a", "Voice", level=2)
    add_plugin(second, "b", "Voice", level=3)
    add_plugin(second, "c", "Second's own", level=4)
    path = f"{empty}:{helpers}:{first}:{second}"

    assert level_of(run, "Voice", plugin_path=path) == 2
    assert "among a (“Voice”)" in error_of(
        run, "Second's own", plugin_path=path
    )
    # a stem needs nobody to be asked, so it is looked for in all of them
    assert level_of(run, "c", plugin_path=path) == 4


def test_11_2_nda_plugin_path_comes_after_plugin_path(
    run, folder, add_plugin, monkeypatch
):
    mine, first, second = map(folder, ("mine", "first", "second"))
    add_plugin(mine, "a", "A", level=1)
    for stem in ("a", "b"):
        add_plugin(first, stem, stem.upper(), level=2)
    for stem in ("a", "b", "c", "passthrough"):
        add_plugin(second, stem, stem.upper(), level=3)
    monkeypatch.setenv("NDA_PLUGIN_PATH", f"{first}:{second}")

    assert level_of(run, "a", plugin_path=mine) == 1
    assert level_of(run, "a") == 2
    assert level_of(run, "b", plugin_path=mine) == 2
    assert level_of(run, "c", plugin_path=mine) == 3
    assert level_of(run, "passthrough") == 3
    assert level_of(run, "B") == 2


def test_11_2_nda_plugin_path_may_be_relative(
    run, folder, add_plugin, monkeypatch, tmp_path
):
    add_plugin(folder("here"), "a", "A", level=6)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NDA_PLUGIN_PATH", "here")

    assert level_of(run, "a") == 6
    assert level_of(run, "A") == 6
