# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Exceptions that cannot be described: what they say is no other fault."""

import pytest

LONGEST = 8192  # bytes

RAISED = {
    "no text": """
class Odd(Exception):
    def __str__(self): raise RuntimeError("no text")
def fail(): raise Odd
""",
    "no representation": """
class Odd(Exception):
    def __str__(self): raise SystemExit
    __repr__ = __str__
def fail(): raise Odd
""",
    "a class without a name": """
class Meta(type):
    __name__ = __module__ = property(lambda cls: 1 / 0)
class Odd(Exception, metaclass=Meta): pass
def fail(): raise Odd("x")
""",
    "surrogates": 'def fail(): raise ValueError("bad \\ud800 and \\udcff")',
    "a mebibyte": 'def fail(): raise ValueError("x" * 2**20)',
    "a mebibyte of letters": 'def fail(): raise ValueError("ü" * 2**20)',
    "a zero": 'def fail(): raise ValueError("before \\0 after")',
    "a syntax error of a person": """
def fail(): raise SyntaxError("x", (None, "one", b"", object()))
""",
    "not UTF-8": 'def fail(): b"\\xff".decode()',
    "a chain": """
def fail(n=150):
    try:
        if n: fail(n - 1)
        raise ValueError("y" * 10000)
    except ValueError as error:
        raise KeyError("x" * 10000) from error
""",
}
CALLS = """
def {name}(self, *args): fail()
Plugin.{name} = {name}
"""


def is_sound(message, path):
    return (
        f"“{path}”" in message
        and len(message.encode()) < LONGEST + 1000
        and "\0" not in message
        and "did not return" not in message
    )


@pytest.mark.parametrize("how", RAISED)
@pytest.mark.parametrize("name", ["process_audio", "initialize"])
def test_what_a_call_raises_is_told(run, write_plugin, noise, name, how):
    path = write_plugin(RAISED[how] + CALLS.format(name=name))

    outcome = run(path, [noise(512)])

    assert is_sound(outcome.error.message, path)
    assert len(outcome.debug.encode()) < LONGEST + 1000


@pytest.mark.parametrize("how", RAISED)
def test_what_a_parameter_raises_is_told(
    gst, make_bridge, write_plugin, noise, how
):
    path = write_plugin(
        RAISED[how]
        + CALLS.format(name="set_parameter")
        + CALLS.format(name="get_parameter")
    )
    bridge = make_bridge(path)
    bridge.pipeline.set_state(gst.State.READY)

    assert bridge.element.emit("get-parameter", "level") == ""
    bridge.element.emit("set-parameter", "level", "1")

    message = bridge.wait(gst.MessageType.WARNING).parse_warning()[0].message
    assert "level: " in message and len(message.encode()) < LONGEST
    bridge.play()
    bridge.push(noise(512))
    assert bridge.pull() is not None


@pytest.mark.parametrize(
    "value, text",
    [
        ("'a\\ud800b'", "a\\ud800b"),
        ("'a\\0b'", "a\\0b"),
        ("5", "5"),
        ("'x' * 600000", "x" * 262141 + " ... " + "x" * 262141),
    ],
    ids=["a surrogate", "a zero", "a number", "long"],
)
def test_value_of_a_parameter_is_printable(
    gst, make_bridge, write_plugin, value, text
):
    bridge = make_bridge(
        write_plugin(f"Plugin.get_parameter = lambda self, key: {value}")
    )
    bridge.pipeline.set_state(gst.State.READY)

    assert bridge.element.emit("get-parameter", "level") == text


RAISED_AGAIN = """
kept = ValueError("the same")
last = None

def same(): raise kept
def caught():
    try: raise kept
    except ValueError as error: raise KeyError("another") from error
def hidden():
    try: raise kept
    except ValueError: raise KeyError("another") from None
def chained():
    global last
    try: raise KeyError("a new one") from last
    except KeyError as error:
        last = error
        raise
def handled():
    global last
    try:
        if last: raise last
        raise KeyError("the first")
    except KeyError:
        last = KeyError("a new one")
        try: raise last
        finally: pass

def count(error):
    from traceback import walk_tb
    n = 0
    while error is not None:
        n += 1 + sum(1 for _ in walk_tb(error.__traceback__))
        error = error.__cause__ or error.__context__
    return n

def process_audio(self, buffer):
    note(max(count(kept), count(last)))
    {how}()
Plugin.process_audio = process_audio
"""


@pytest.mark.parametrize(
    "how", ["same", "caught", "hidden", "chained", "handled"]
)
def test_error_that_is_raised_for_each_block_does_not_grow(
    run, write_noting_plugin, journal, noise, how
):
    path = write_noting_plugin(RAISED_AGAIN.replace("{how}", how))

    run(path, [noise(512) for _ in range(60)], on_error="silence")

    counts = [what[0] for what in journal() if isinstance(what[0], int)]
    assert len(counts) == 60 and max(counts) < 40
