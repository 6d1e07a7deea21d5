# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Reads the declarations of a file of API 2; a part of ndapyembed.py.

A file without create_plugin () is of API 2. Its entry is the function or class
that is the plugin: the only one in the file, or the one that is named.
"""

import functools
import numbers

# The calls of API 2, with the role of a plugin that has one: API 1's word and
# ours
CALLS = {
    "process": ("Processor", "processor"),
    "analyse": ("Processor", "analyser"),
    "read": ("AudioSource", "source"),
    "write": ("AudioSink", "sink"),
}

NO_ENTRY = (
    "it has no function create_plugin (), which makes the plugin; nor, for "
    "API 2, a function process (), analyse (), read () or write () or a class "
    "derived from nda's Processor, Analyser, Source or Sink"
)


def _is_defined_in(module, value):
    """Return whether a class or a function is defined in the file, and not
    imported."""
    if isinstance(value, type):
        names = module.__name__, getattr(module, "__nda_name__", None)
        return value.__module__ in names
    function = inspect.unwrap(value)
    return getattr(function, "__globals__", vars(module)) is vars(module)


def _is_candidate(module, name, value):
    if isinstance(value, type):
        is_ours = getattr(value, "__nda_role__", None) and name[0] != "_"
        is_named_so = value.__name__ == name
        return is_ours and is_named_so and _is_defined_in(module, value)
    return name in CALLS and callable(value) and _is_defined_in(module, value)


def find_entry(module, name=None):
    """Return name and value of the function or class of a file that is the
    plugin."""
    if name:
        entry = getattr(module, name, None)
        is_class = isinstance(entry, type)
        if callable(entry) and (not is_class or _role_of(entry)):
            return name, entry
    found = {
        known: value
        for known, value in vars(module).items()
        if _is_candidate(module, known, value)
    }
    names = ", ".join(found)
    if name:
        raise PluginError(
            f"it has no function or class “{name}”; it has {names or 'none'}"
        )
    if not found:
        raise PluginError(_why_no_entry(module))
    if len(found) > 1:
        raise PluginError(
            f"it has more than one plugin: {names}. Say which by its name: "
            f"plugin={os.path.basename(module.__file__)}:{next(iter(found))}"
        )
    return next(iter(found.items()))


def _role_of(entry):
    return getattr(entry, "__nda_role__", None)


def _why_no_entry(module):
    """Say why what has the name of a call is not the plugin."""
    for name in CALLS:
        value = vars(module).get(name)
        if isinstance(value, type):
            return f"its {name} is a class that is not derived from nda's"
        if callable(value):
            file = os.path.basename(module.__file__)
            return (
                f"its {name} is imported from another file. If that is the "
                f"plugin, say so: plugin={file}:{name}"
            )
        if name in vars(module):
            return f"its {name} is {value!r:.40}, which is no function"
    return NO_ENTRY


def line_of(function):
    """Return where a function of a plugin begins, as “ (line 5)”; or ""."""
    with contextlib.suppress(ValueError):
        function = inspect.unwrap(function)
    while isinstance(function, functools.partial):
        function = function.func
    if not isinstance(function, (types.FunctionType, types.MethodType)):
        function = getattr(type(function), "__call__", None)
    code = getattr(function, "__code__", None)
    if code is None or code.co_filename not in _plugin_files:
        return ""
    return f" (line {code.co_firstlineno})"


class PlacedError(PluginError):
    """A fault whose text has its line."""


@contextlib.contextmanager
def placed_at(where):
    """Add a line to a fault that is raised meanwhile."""
    try:
        yield
    except PluginError as error:
        raise PluginError(f"{error}{where}") from None


def place_fault(error, where):
    """Raise a fault of a block call again, with a line if it has none: an
    error of code in C knows no line of the plugin."""
    if isinstance(error, PlacedError):
        raise error
    if isinstance(error, PluginError):
        raise PlacedError(f"{error}{where}") from None
    if where and _place(error) is None:
        raise PlacedError(f"{_reason(error)}{where}") from None
    raise error


def call_name_of(name, entry, role):
    """Return which call of API 2 the entry has. A function with another name
    is the call that the element needs."""
    if isinstance(entry, type):
        return _role_of(entry)
    if name in CALLS:
        return name
    if inspect.isgeneratorfunction(entry):
        return "read"
    wanted = (call for call, (known, _) in CALLS.items() if known == role)
    return next(wanted, "process")


# --- parameters ------------------------------------------------------------


def class_parameters(entry, line_of_name):
    """Return the parameters of a class by name, in the order of their
    declaration."""
    from nda.parameters import Parameter

    found = {}
    for base in reversed(entry.__mro__):
        for name, value in vars(base).items():
            if isinstance(value, Parameter):
                found[name] = value
                continue
            found.pop(name, None)
            if _is_kind(value):
                raise PluginError(
                    f"its {name} is {_missing_call(value)}{line_of_name(name)}"
                )
            kind = _annotated_kind(base, name)
            if kind:
                raise PluginError(
                    f"its {name} is {value!r:.40} with {kind} as its "
                    f"annotation, which declares nothing; write {name} = "
                    f"{kind} ({value!r:.40}){line_of_name(name)}"
                )
    return found


def _is_kind(value):
    """Return whether a value is one of nda's types, not called."""
    from nda.parameters import Parameter

    return isinstance(value, type) and issubclass(value, Parameter)


def _missing_call(kind):
    return (
        f"the class {kind.__name__}; write it with its default, "
        f"{kind.__name__} (...)"
    )


def _annotated_kind(owner, name):
    """Return the name of nda's type in an attribute's annotation, or ""."""
    import nda.parameters as kinds

    hint = vars(owner).get("__annotations__", {}).get(name)
    if isinstance(hint, kinds.Parameter):
        hint = type(hint)
    if isinstance(hint, str):  # as all are from __future__ on
        hint = getattr(kinds, hint.rpartition(".")[2], None)
    return hint.__name__ if _is_kind(hint) else ""


def function_parameters(function):
    """Return the parameters of a function: its arguments after “*” (1.4)."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # one of a library, that cannot say
        return {}
    own = {
        name: argument
        for name, argument in signature.parameters.items()
        if argument.kind is argument.KEYWORD_ONLY
    }
    hints = _hints_of(function) if own else {}
    return {
        name: _parameter_of(name, hints.get(name), argument.default)
        for name, argument in own.items()
    }


def _hints_of(function):
    function = inspect.unwrap(function)
    if not isinstance(function, (types.FunctionType, types.MethodType)):
        function = type(function).__call__
    try:
        return typing.get_type_hints(function, include_extras=True)
    except Exception as error:
        raise PluginError(
            f"its annotations cannot be read: {_one_line(error)}"
        ) from None


def _parameter_of(name, hint, default):
    """Make a parameter of an argument's annotation, or else of its default's
    type."""
    if default is inspect.Parameter.empty:
        raise PluginError(f"its parameter “{name}” has no default")
    from nda.parameters import Parameter

    if isinstance(default, Parameter):
        hint, default = default, default.default
    try:
        if _is_kind(default):
            raise TypeError(f"it is {_missing_call(default)}")
        made = _make_parameter(hint, default)
        made.default = made.check(default)
    except (TypeError, ValueError) as error:
        raise PluginError(
            f"its parameter “{name}” is wrong: {_one_line(error)}"
        ) from None
    made.name = name
    return made


def _make_parameter(hint, default):
    import nda.parameters as kinds

    for extra in (*getattr(hint, "__metadata__", ()), hint):
        if isinstance(extra, kinds.Parameter):
            return copy.copy(extra)
    if hasattr(hint, "__metadata__"):
        hint = hint.__origin__  # of Annotated
    if hint is None:
        hint = type(default)
    if typing.get_origin(hint) is typing.Literal:
        return kinds.Choice(default, typing.get_args(hint))
    made = _kind_of(hint, kinds)
    if made is None:
        raise TypeError(
            f"{hint!r} is none of float, int, bool, str, Literal of texts, or "
            "Annotated with one of nda's types"
        )
    return made(default)


def _kind_of(hint, kinds):
    """Return the kind of parameter for values of a type, or None."""
    known = (
        (bool, kinds.Bool),
        (numbers.Integral, kinds.Int),
        (numbers.Real, kinds.Float),
        (str, kinds.Text),
    )
    if not isinstance(hint, type):
        return None
    if hint in (kinds.Bool, kinds.Int, kinds.Float, kinds.Text):
        return hint
    return next((kind for of, kind in known if issubclass(hint, of)), None)


def check_arguments(function, n_blocks, name):
    """Check that a call takes so many blocks, and no other required argument.
    """
    try:
        arguments = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return
    plain = [
        argument.name
        for argument in arguments
        if argument.kind
        in (argument.POSITIONAL_ONLY, argument.POSITIONAL_OR_KEYWORD)
    ]
    takes_any = any(a.kind is a.VAR_POSITIONAL for a in arguments)
    if len(plain) > n_blocks:
        raise PluginError(
            f"its {name} () takes {', '.join(plain)}: it gets "
            f"{'a block' if n_blocks else 'nothing'}, and parameters stand "
            f"behind a “*”, as in def {name}(block, *, gain=1.0)"
        )
    if len(plain) < n_blocks and not takes_any:
        raise PluginError(f"its {name} () takes no block")


def needed_by(entry):
    """Return the arguments that have no default, as “a, b”."""
    try:
        arguments = inspect.signature(entry).parameters.values()
    except (TypeError, ValueError):
        return ""
    return ", ".join(
        argument.name
        for argument in arguments
        if argument.default is argument.empty
        and argument.kind
        not in (argument.VAR_POSITIONAL, argument.VAR_KEYWORD)
    )


def takes_block(function):
    """Return whether a source fills a block, rather than giving arrays."""
    try:
        arguments = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return True
    return any(
        argument.kind is not argument.KEYWORD_ONLY
        and argument.kind is not argument.VAR_KEYWORD
        for argument in arguments
    )


# --- declarations ----------------------------------------------------------


def _names_in(target):
    for node in ast.walk(target):
        if isinstance(node, (ast.Name, ast.Attribute)):
            yield getattr(node, "id", None) or node.attr


def _sets(node, what):
    """Return whether a statement defines that name, or sets an attribute."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return node.name == what
    targets = getattr(node, "targets", [getattr(node, "target", None)])
    kinds = ast.Assign, ast.AnnAssign, ast.AugAssign
    return isinstance(node, kinds) and any(
        what in _names_in(target) for target in targets
    )


def _statements(node, is_running):
    """Return the statements of a class; or those of its methods that run
    after the start."""
    for method in node.body if is_running else ():
        if getattr(method, "name", "start") not in ("__init__", "start"):
            yield from ast.walk(method)
    if not is_running:
        yield from ast.walk(node)


def declared_at(path, name, what, is_running=False):
    """Return where a class sets an attribute, as “ (line 5)”; or "". With
    @is_running only where it does so after the start."""
    try:
        with open(path, "rb") as source:
            tree = ast.parse(source.read())
    except (OSError, SyntaxError, ValueError):
        return ""
    classes = [n for n in ast.walk(tree) if isinstance(n, ast.ClassDef)]
    top = next((c for c in classes if c.name == name), tree)
    found = (n for n in _statements(top, is_running) if _sets(n, what))
    return next((f" (line {node.lineno})" for node in found), "")


def whole(value, what, low, high):
    """Check a declared number, which must be whole and within a range."""
    is_number = not isinstance(value, (bool, str))
    try:
        number = int(value) if is_number else None
        is_whole = number is not None and number == value
    except (TypeError, ValueError, OverflowError):
        is_whole = False
    if not is_whole or not low <= number <= high:
        raise PluginError(
            f"its {what} is {value!r}, not a whole number from {low} to {high}"
        )
    return number


def whole_or_0(value, high, low=0):
    """Return a declared number, or 0 if it makes no sense. The start reports
    it later with its line, since the plugin may still change it before."""
    try:
        return whole(value, "", low, high)
    except PluginError:
        return 0


# --- describing ------------------------------------------------------------


def _key_value(text):
    """Escape a text as the value of a key file."""
    for plain, written in (
        ("\\", "\\\\"),
        ("\n", "\\n"),
        ("\r", "\\r"),
        ("\t", "\\t"),
    ):
        text = text.replace(plain, written)
    return "\\s" + text[1:] if text.startswith(" ") else text


def _list_value(texts):
    return "".join(_key_value(t).replace(";", "\\;") + ";" for t in texts)


def _describe_parameter(name, parameter):
    yield f"[parameter {name}]"
    yield f"type={parameter.type}"
    if parameter.type != "secret":
        yield f"default={_key_value(parameter.format(parameter.default))}"
    if parameter.type in ("float", "int"):
        yield f"minimum={parameter.format(parameter.min)}"
        yield f"maximum={parameter.format(parameter.max)}"
    if parameter.unit:
        yield f"unit={_key_value(parameter.unit)}"
    if parameter.help:
        yield f"help={_key_value(parameter.help)}"
    if parameter.type == "choice":
        yield f"options={_list_value(parameter.options)}"


def describe_wrapped(wrapper):
    """Return the declarations of a plugin of API 2, as the text of a key file.
    """
    lines = ["[plugin]"]
    for key, value in wrapper.declarations().items():
        lines.append(f"{key}={_key_value(str(value))}")
    for name, parameter in wrapper.parameters.items():
        lines.append("")
        lines.extend(_describe_parameter(name, parameter))
    return "\n".join(lines) + "\n"
