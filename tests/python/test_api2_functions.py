# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Section 1 of API 2: a function is a plugin, in both isolations."""

import numpy as np
import pytest
from second import BLOCK, make_source, write, write_noting  # noqa: F401


def test_api2_1_1_two_lines_are_a_plugin(run, write, noise):
    frames = noise(2 * BLOCK)
    path = write("def process(block):\n    block *= 0.5\n")

    outcome = run(path, [frames])

    assert outcome.error is None and not outcome.warnings
    assert np.array_equal(outcome.frames, frames * np.float32(0.5))


TWO = """
def process(block):
    block *= 2

def louder(block):
    block *= 4

def analyse(block):
    pass
"""


def test_api2_1_1_more_than_one_is_an_error_that_lists_them(run, write):
    outcome = run(write(TWO), [])

    assert "more than one plugin: process, analyse." in outcome.error.message
    assert "plugin=second.py:process" in outcome.error.message


@pytest.mark.parametrize(
    "name, factor", [("process", 2), ("louder", 4), ("analyse", 1)]
)
def test_api2_1_1_a_name_picks_one(run, write, noise, name, factor):
    frames = noise(BLOCK)

    outcome = run(f"{write(TWO)}:{name}", [frames])

    assert outcome.error is None
    assert np.array_equal(outcome.frames, frames * np.float32(factor))


def test_api2_1_1_a_name_that_is_not_there_says_what_is(run, write):
    outcome = run(f"{write(TWO)}:loudest", [])

    assert (
        "it has no function or class “loudest”; it has process, analyse"
        in outcome.error.message
    )


def test_api2_1_1_what_is_imported_is_no_candidate(run, write, noise):
    write("def process(block):\n    raise AssertionError\n", name="other")
    frames = noise(BLOCK)
    path = write(
        """
        from nda import Processor
        from other import process
        class Twice(Processor):
            def process(self, block):
                block *= 2
        """
    )

    outcome = run(path, [frames])

    assert outcome.error is None
    assert np.array_equal(outcome.frames, frames * 2)


def test_api2_1_1_the_role_must_fit_the_element(run, write):
    outcome = run(write("def read():\n    yield [0.0]\n"), [])

    assert "is of the type “AudioSource”" in outcome.error.message


@pytest.mark.parametrize("channels", [1, 2, 6])
def test_api2_1_2_the_block_is_a_bare_array(
    run, write_noting, journal, channels
):
    path = write_noting(
        """
        def process(block):
            note(type(block).__name__, str(block.dtype), *block.shape,
                 block.flags.c_contiguous, block.flags.writeable)
        """
    )

    outcome = run(path, [np.zeros((BLOCK, channels))], channels=channels)

    assert outcome.error is None
    assert journal() == [["ndarray", "float32", channels, BLOCK, True, True]]


RETURNS = {
    "None": ("block *= 2", 2),
    "the block": ("block *= 2; return block", 2),
    "another array": ("return block * 3", 3),
    "another type": ("return block.astype('float64') * 3", 3),
    "whole numbers": ("return (block * 0).astype('int16')", 0),
    "lists": ("return (block * 3).tolist()", 3),
    "a view": ("return block[:, ::-1][:, ::-1]", 1),
}


@pytest.mark.parametrize("kind", RETURNS)
def test_api2_1_3_an_array_of_the_same_shape_is_used(run, write, noise, kind):
    text, factor = RETURNS[kind]
    frames = noise(2 * BLOCK)

    outcome = run(write(f"def process(block):\n    {text}\n"), [frames])

    assert outcome.error is None
    assert np.array_equal(outcome.frames, frames * np.float32(factor))


FAILURES = {
    "another shape": (
        "return block[:1]",
        "its process () returned shape (1, 512), but the block has shape "
        "(2, 512)",
    ),
    "turned": (
        "return block.T",
        "its process () returned shape (512, 2), but the block has shape "
        "(2, 512)",
    ),
    "True": (
        "return True",
        "its process () returned shape (), but the block has shape (2, 512)",
    ),
    "text": (
        "return 'loud'",
        "its process () gave str of <U4 and shape (), not numbers of shape "
        "(2, 512)",
    ),
    "complex numbers": (
        "return block * 1j",
        "its process () gave ndarray of complex64 and shape (2, 512), not "
        "numbers of shape (2, 512)",
    ),
    "exception": ("raise KeyError('gain')", "KeyError: 'gain' ("),
    "coroutine": (
        "async def later(): pass\n    return later()",
        "its process () is a coroutine or a generator",
    ),
    "generator": ("yield block", "its process () is a coroutine or a gene"),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_api2_1_3_anything_else_is_a_failure_that_says_why(
    run, write, noise, failure
):
    text, reason = FAILURES[failure]
    path = write(f"def process(block):\n    {text}\n")

    outcome = run(path, [noise(BLOCK)])

    assert f"The plugin “{path}” failed: " in outcome.error.message
    assert reason in outcome.error.message
    assert len(outcome.frames) == 0


def test_api2_1_3_a_failed_block_passes_as_it_came(run, write, noise):
    frames = noise(3 * BLOCK)
    path = write(
        """
        n = 0
        def process(block):
            global n
            n += 1
            block *= 2
            if n == 2:
                return block[:1]
        """
    )

    outcome = run(path, [frames], on_error="passthrough")

    expected = frames * np.float32(2)
    expected[BLOCK : 2 * BLOCK] = frames[BLOCK : 2 * BLOCK]
    assert np.array_equal(outcome.frames, expected)
    assert outcome.stats.get_value("num-failures") == 1


PARAMETERS = '''
"""What the file does.

And more."""
from typing import Annotated, Literal
from nda import Float
{later}

def process(
    block,
    *,
    gain: Annotated[float, Float(min=0, max=4, unit="x")] = 0.5,
    mode: Literal["plain", "twice"] = "plain",
    times=1,
    on=True,
    label="",
):
    if on:
        block *= gain * times * (2 if mode == "twice" else 1)
'''


@pytest.mark.parametrize("later", ["", "from __future__ import annotations"])
@pytest.mark.parametrize(
    "parameters, factor",
    [
        ("", 0.5),
        ("gain=4", 4),
        ("mode=twice,times=3", 3),
        ("on=false,gain=2", 1),
        ("label=x=y,gain=2e0", 2),
    ],
)
def test_api2_1_4_keyword_arguments_are_parameters(
    run, write, noise, later, parameters, factor
):
    frames = noise(BLOCK)
    text = PARAMETERS.replace("{later}", later)
    if later:
        text = later + "\n" + text.replace(later, "")

    outcome = run(write(text), [frames], parameters=parameters)

    assert outcome.error is None and not outcome.warnings
    assert np.array_equal(outcome.frames, frames * np.float32(factor))


DECLARED_WRONG = {
    "no star": (
        "def process(block, gain=1.0): pass",
        "its process () takes block, gain: it gets a block, and parameters "
        "stand behind a “*”",
    ),
    "no block": ("def process(): pass", "its process () takes no block"),
    "no default": (
        "def process(block, *, gain): pass",
        "its parameter “gain” has no default",
    ),
    "no type": (
        "def process(block, *, gain=None): pass",
        "its parameter “gain” is wrong: <class 'NoneType'> is none of float",
    ),
    "out of its own range": (
        "from typing import Annotated\nfrom nda import Float\n"
        "def process(block, *, gain: Annotated[float, Float(0, 0, 1)] = 2):"
        " pass",
        "its parameter “gain” is wrong: 2 is out of its range, 0 to 1",
    ),
    "unknown name": (
        "from __future__ import annotations\n"
        "def process(block, *, gain: Gain = 1): pass",
        "its annotations cannot be read: name 'Gain' is not defined",
    ),
    "nothing": (
        "def filter(block): pass",
        "it has no function create_plugin (), which makes the plugin; nor, "
        "for API 2, a function process ()",
    ),
}


@pytest.mark.parametrize("wrong", DECLARED_WRONG)
def test_api2_1_4_a_wrong_declaration_is_an_error_at_load(run, write, wrong):
    text, reason = DECLARED_WRONG[wrong]
    path = write(text + "\n")

    outcome = run(path, [])

    assert (
        f"The plugin “{path}” cannot be loaded: {reason}"
        in outcome.error.message
    )


def test_api2_1_4_an_analyser_has_parameters_too(run, write_noting, journal):
    path = write_noting("def analyse(block, *, n=1):\n    note(n)\n")

    outcome = run(path, [np.zeros((BLOCK, 2))], parameters="n=7")

    assert outcome.error is None
    assert journal() == [[7]]


def test_api2_1_1_what_a_library_made_is_a_plugin(run, write, noise):
    frames = noise(BLOCK)
    path = write(
        """
        import functools, operator
        process = functools.partial(operator.imul, 3)
        """
    )

    outcome = run(path, [frames])

    assert outcome.error is None
    assert np.array_equal(outcome.frames, frames * np.float32(3))
