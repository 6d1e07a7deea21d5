# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Parameters of plugins: the type of a value, and the values that are allowed.

A class declares them as attributes, a function in its annotations::

    class Gate(Processor):
        threshold = Float(-50, -90, 0, unit="dBFS", help="opens above it")

    def process(block, *, gain: Annotated[float, Float(min=0, max=4)] = 0.5):
        block *= gain

In an instance the attribute is the value, of the parameter's type. For an
application it is a property of the element. Every value is checked here before
it is set.
"""

from __future__ import annotations

import math
from typing import Any, Generic, Sequence, TypeVar, overload

T = TypeVar("T")
P = TypeVar("P", bound="Parameter[Any]")

# The limits of an element's properties: a double, and 32 bits
LARGEST_FLOAT = 1.7976931348623157e308
SMALLEST_INT, LARGEST_INT = -(2**31), 2**31 - 1

# Of a text that is a value, and of one that only people read
LONGEST_TEXT, LONGEST_HELP = 512 * 1024, 8192

TRUE_TEXTS = ("true", "yes", "on", "1")
FALSE_TEXTS = ("false", "no", "off", "0")


def _plain(number: float) -> str:
    """Return a number in its usual form: -50 rather than -50.0."""
    text = repr(number)
    return text[:-2] if text.endswith(".0") else text


def _check_text(text: str, longest: int = LONGEST_TEXT) -> str:
    """Return a text that an element's property can hold."""
    if "\0" in text:
        raise ValueError("a text cannot hold a character 0")
    if len(text) > longest:
        raise ValueError(
            f"a text has {len(text)} characters; {longest} are the most"
        )
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError(
            f"a text cannot hold {text[error.start]!a}, which is no character"
        ) from None
    return text


class Parameter(Generic[T]):
    """One parameter of a plugin; use one of the types below."""

    type = ""  # as the host calls it
    name = ""  # that it has in its class or function

    def __init__(self, default: T, unit: str, help: str) -> None:
        for text, what in ((unit, "unit"), (help, "help")):
            if not isinstance(text, str):
                raise TypeError(f"{what} is {text!r}, which is no text")
            _check_text(text, LONGEST_HELP)
        self.unit = unit
        self.help = help
        self.default = self.check(default)

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self: P, instance: None, owner: type) -> P: ...

    @overload
    def __get__(self, instance: object, owner: type) -> T: ...

    def __get__(self, instance: Any, owner: type) -> Any:
        if instance is None:
            return self
        return instance.__dict__.get(self.name, self.default)

    def __set__(self, instance: Any, value: Any) -> None:
        if value is self:  # as a dataclass sets its defaults
            value = self.default
        instance.__dict__[self.name] = self.check(value)

    def check(self, value: Any) -> T:
        """Return the value in the parameter's type; ValueError if it is not
        allowed."""
        raise NotImplementedError

    def parse(self, text: str) -> T:
        """Return the value of a text; ValueError if the text is not allowed.
        """
        return self.check(text)

    def format(self, value: T) -> str:
        """Return the text of a value."""
        return str(value)


class _Number(Parameter[T]):
    """A number within a range, both ends included."""

    word = ""

    def __init__(
        self, default: Any, min: Any, max: Any, unit: str, help: str
    ) -> None:
        self.min = self.max = None
        self.min, self.max = self._to_type(min), self._to_type(max)
        if self.min > self.max:
            raise ValueError(
                f"its minimum {self.format(self.min)} is above its maximum "
                f"{self.format(self.max)}"
            )
        if default is None:  # the function's own counts
            default = sorted((self.min, self._to_type(0), self.max))[1]
        self.unit = unit
        super().__init__(default, unit, help)

    def _to_type(self, value: Any) -> Any:
        raise NotImplementedError

    def check(self, value: Any) -> T:
        number = self._to_type(value)
        if not self.min <= number <= self.max:
            raise ValueError(
                f"{self.format(number)} is out of its range, {self._range()}"
            )
        return number

    def parse(self, text: str) -> T:
        try:
            number = (int if self.type == "int" else float)(text)
        except ValueError:
            raise self._no_number(text) from None
        return self.check(number)

    def _no_number(self, value: Any) -> ValueError:
        if self.min is None or self.max is None:  # one of these it is
            return ValueError(f"{value!r} is no {self.word}")
        return ValueError(
            f"{value!r} is no {self.word}; its range is {self._range()}"
        )

    def _range(self) -> str:
        unit = f" {self.unit}" if getattr(self, "unit", "") else ""
        return f"{self.format(self.min)} to {self.format(self.max)}{unit}"

    def format(self, value: Any) -> str:
        return _plain(value)


class Float(_Number[float]):
    """A number: ``Float(default, min, max, unit=, help=)``.

    The range includes both of its ends. The unit is a word such as ``dBFS``,
    ``Hz`` or ``s``, for people to read.
    """

    type, word = "float", "number"

    def __init__(
        self,
        default: float | None = None,
        min: float = -LARGEST_FLOAT,
        max: float = LARGEST_FLOAT,
        *,
        unit: str = "",
        help: str = "",
    ) -> None:
        super().__init__(default, min, max, unit, help)

    def _to_type(self, value: Any) -> float:
        if isinstance(value, (bool, str, bytes)) or value is None:
            raise self._no_number(value)
        try:
            number = float(value)
        except (TypeError, ValueError):
            raise self._no_number(value) from None
        if not math.isfinite(number):
            raise self._no_number(value)
        return number


class Int(_Number[int]):
    """A whole number: ``Int(default, min, max, unit=, help=)``.

    The range includes both of its ends, and is at most that of 32 bits.
    """

    type, word = "int", "whole number"

    def __init__(
        self,
        default: int | None = None,
        min: int = SMALLEST_INT,
        max: int = LARGEST_INT,
        *,
        unit: str = "",
        help: str = "",
    ) -> None:
        super().__init__(default, min, max, unit, help)
        if self.min < SMALLEST_INT or self.max > LARGEST_INT:
            raise ValueError(
                f"its range {self._range()} is beyond {SMALLEST_INT} to "
                f"{LARGEST_INT}"
            )

    def _to_type(self, value: Any) -> int:
        if isinstance(value, (bool, str, bytes)) or value is None:
            raise self._no_number(value)
        try:
            number = int(value)
        except (TypeError, ValueError, OverflowError):
            raise self._no_number(value) from None
        if number != value:
            raise self._no_number(value)
        return number


class Bool(Parameter[bool]):
    """Yes or no: ``Bool(default, help=)``. As a text it is true or false."""

    type = "bool"

    def __init__(self, default: bool = False, *, help: str = "") -> None:
        super().__init__(default, "", help)

    def check(self, value: Any) -> bool:
        if value is True or value is False:
            return value
        if type(value).__name__ in ("bool_", "bool"):  # numpy's
            return bool(value)
        raise ValueError(f"{value!r} is neither true nor false")

    def parse(self, text: str) -> bool:
        word = text.strip().lower()
        if word in TRUE_TEXTS + FALSE_TEXTS:
            return word in TRUE_TEXTS
        raise ValueError(f"{text!r} is neither true nor false")

    def format(self, value: bool) -> str:
        return "true" if value else "false"


class Text(Parameter[str]):
    """Any text: ``Text(default, help=)``, such as the path of a model."""

    type = "text"

    def __init__(self, default: str = "", *, help: str = "") -> None:
        super().__init__(default, "", help)

    def check(self, value: Any) -> str:
        if not isinstance(value, str):
            raise ValueError(f"{value!r} is no text")
        return _check_text(value)


class Choice(Parameter[str]):
    """One text of several: ``Choice(default, options, help=)``."""

    type = "choice"

    def __init__(
        self, default: str, options: Sequence[str], *, help: str = ""
    ) -> None:
        if isinstance(options, str) or not all(
            isinstance(option, str) and option for option in options
        ):
            raise ValueError(f"its options are {options!r}, no list of texts")
        self.options = tuple(_check_text(o, LONGEST_HELP) for o in options)
        if len(set(self.options)) != len(self.options):
            raise ValueError(f"its options {options!r} name one twice")
        super().__init__(default, "", help)

    def check(self, value: Any) -> str:
        if value not in self.options:
            raise ValueError(
                f"{value!r} is none of its options, "
                + ", ".join(self.options)
            )
        return value


class Secret(Parameter[str]):
    """A text that nobody can read back: ``Secret(help=)``, such as a key.

    Its default is the empty text. Its value is in no log, message or
    description; only the plugin gets it.
    """

    type = "secret"

    def __init__(self, *, help: str = "") -> None:
        super().__init__("", "", help)

    def check(self, value: Any) -> str:
        if not isinstance(value, str):
            raise ValueError("the value is no text")
        return _check_text(value)

    def format(self, value: str) -> str:
        return ""
