# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Asks plugins for their display names (12.2), in a separate process.

Most plugins are asked for their name only to find out that they are not the
wanted one, so this runs as little of them as possible. Nearly every file has
its name as a literal: that is read, and nothing runs. Any other file is
executed and its plugin asked. If the plugin has no answer yet, it is
initialised; only then must it answer (3.7), but it may also open a device. It
is shut down again at once, as every plugin that was made here.

The program follows ndapyembed.py, whose functions it uses. Its arguments are
the folder of the API, the number of the other process, and the files. It
writes one answer for each file, in their order. Output of plugins is
discarded.
"""

import ast
import signal


def log(is_error, line):  # noqa: F811
    """Discard a line of the log, which nobody reads here."""


def calling(method):  # noqa: F811
    """Do nothing: nobody asks here which method is called."""


def _only_return(function):
    """Return the expression that a function returns, if it does nothing else.
    """
    body = function.body
    if ast.get_docstring(function) is not None:
        body = body[1:]
    is_plain = len(body) == 1 and isinstance(body[0], ast.Return)
    return body[0].value if is_plain and not function.decorator_list else None


def _find_definition(body, kind, name):
    found = (n for n in body if isinstance(n, kind) and n.name == name)
    return next(found, None)


def _callee(call):
    """Return what an expression calls, as `name` or as `module.name`."""
    function = call.func if isinstance(call, ast.Call) else None
    return getattr(function, "id", getattr(function, "attr", None))


def _read_name(source):
    """Return the display name, if the file has it as a literal beyond doubt,
    else None.

    That is: `create_plugin` returns an instance of a class of the file, whose
    `get_info` returns a PluginInfo with a literal for its name. Nothing else
    in the file uses `get_info` or gives PluginInfo another meaning.
    """
    if source.count(b"get_info") != 1:
        return None
    tree = ast.parse(source)
    if any(_redefines(node, "PluginInfo") for node in ast.walk(tree)):
        return None
    body = tree.body
    factory = _find_definition(body, ast.FunctionDef, "create_plugin")
    made = _callee(_only_return(factory)) if factory else None
    plugin = _find_definition(body, ast.ClassDef, made)
    info = plugin and _find_definition(
        plugin.body, ast.FunctionDef, "get_info"
    )
    call = _only_return(info) if info else None
    if _callee(call) != "PluginInfo":
        return None
    names = [word.value for word in call.keywords if word.arg == "name"]
    name = next(iter(call.args[:1] + names), None)
    return ast.literal_eval(name) if _is_text(name) else None


def _read_second_name(path, source):
    """Return the display name of a file that is of API 2 beyond doubt, else
    None.

    It is DISPLAY_NAME, if that is a literal, else the file's own name.
    """
    if b"create_plugin" in source:
        return None
    body = ast.parse(source).body
    if not _is_second(body):
        return None
    if b"DISPLAY_NAME" not in source:
        return os.path.splitext(os.path.basename(path))[0]
    said = [
        node.value
        for node in body
        if isinstance(node, ast.Assign)
        and any(getattr(t, "id", "") == "DISPLAY_NAME" for t in node.targets)
    ]
    is_literal = len(said) == 1 and _is_text(said[0])
    return ast.literal_eval(said[0]) if is_literal else None


def _is_second(body):
    functions = (n.name for n in body if isinstance(n, ast.FunctionDef))
    classes = [n for n in body if isinstance(n, ast.ClassDef) and n.bases]
    imports = [
        node.module if isinstance(node, ast.ImportFrom) else node.names[0].name
        for node in body
        if isinstance(node, (ast.Import, ast.ImportFrom))
    ]
    return any(n in CALLS for n in functions) or (
        bool(classes) and "nda" in imports
    )


def _redefines(node, name):
    if isinstance(node, ast.Name):
        return node.id == name and not isinstance(node.ctx, ast.Load)
    if isinstance(node, ast.alias):
        return node.asname == name
    return getattr(node, "name", None) == name  # a class or function


def _is_text(node):
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _name_of(plugin):
    try:
        return _text(getattr(plugin.get_info(), "name", ""))
    except BaseException:  # it may want to be initialised first
        return ""


def _ask_name(path):
    """Run the file to get its name, and remove all that it has loaded."""
    module, plugin, _ = load(path)
    try:
        name = _name_of(plugin)
        if not name and plugin.initialize():
            name = _name_of(plugin)
        return name
    finally:
        shut_down(module, plugin)


def display_name(path):
    """The display name of a plugin file."""
    with open(path, "rb") as file:
        source = file.read()
    name = _read_name(source)
    if name is None:
        name = _read_second_name(path, source)
    return _ask_name(path) if name is None else name


def answer_for(path):
    try:
        return "+" + display_name(path)
    except BaseException as error:  # no plugin, or a broken one
        return f"-{_one_line(error) or _type_name(error)}"


def die_with(parent):
    """Have the kernel kill this process when the other one ends."""
    import ctypes

    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    if os.getppid() != parent:
        os._exit(0)


def answer_all(api, parent, *paths):
    os.setpgid(0, 0)  # Ctrl-C is for the other process
    die_with(int(parent))
    answers = os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in range(3):
        os.dup2(nothing, descriptor)
    sys.argv = [""]
    start(False, api, "")
    for path in paths:
        text = answer_for(path).replace("\0", "")
        answers.write(text.encode("utf-8", "replace") + b"\0")
        answers.flush()


answer_all(*sys.argv[1:])
os._exit(0)
