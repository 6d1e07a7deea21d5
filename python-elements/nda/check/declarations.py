# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Finds wrong declarations in a file of API 2, with their lines, without
running the file."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Union

import nda.parameters
import nda.roles

CALLS = {
    "Processor": "process",
    "Analyser": "analyse",
    "Source": "read",
    "Sink": "write",
}
KINDS = ("Float", "Int", "Bool", "Text", "Choice", "Secret")
# Attributes of the format, and the range of each
LIMITS = {
    "rate": (1001, 768000),
    "frames": (1, 96000),
    "channels": (1, 64),
    "latency": (0, 10**8),
}
Fault = tuple[int, str]  # a line, and what is wrong there
Function = Union[ast.FunctionDef, ast.AsyncFunctionDef]


def read(path: str) -> ast.Module | None:
    """Return the file as a syntax tree; None if it is not Python. Loading it
    reports why."""
    try:
        with open(path, "rb") as source:
            return ast.parse(source.read())
    except (OSError, SyntaxError, ValueError):
        return None


def is_second(path: str) -> bool:
    """Return whether a file is of API 2: it has no create_plugin."""
    tree = read(path)
    if tree is None:
        return False
    names = set()
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            names.add(node.name)
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            names.update(a.asname or a.name for a in node.names)
        if isinstance(node, (ast.Assign, ast.AnnAssign)):
            names.update(
                n.id for n in ast.walk(node) if isinstance(n, ast.Name)
            )
    return "create_plugin" not in names


def name_of(node: ast.expr | None) -> str:
    """Return the last name of an expression such as `nda.Float`."""
    return getattr(node, "attr", getattr(node, "id", ""))


def base_of(node: ast.ClassDef) -> str:
    """Return which of nda's classes a class derives from, or ""."""
    return next((n for n in map(name_of, node.bases) if n in CALLS), "")


def find_faults(path: str) -> list[Fault]:
    """Return all faults that can be seen, in the order of the lines."""
    tree = read(path)
    if tree is None:
        return []
    faults: list[Fault] = []
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            if node.name in CALLS.values():
                faults += call_faults(node, node.name)
                faults += hint_faults(node)
        if isinstance(node, ast.ClassDef) and base_of(node):
            faults += class_faults(node)
    return sorted(set(faults))


def class_faults(node: ast.ClassDef) -> Iterator[Fault]:
    call = CALLS[base_of(node)]
    methods = [
        m
        for m in node.body
        if isinstance(m, (ast.FunctionDef, ast.AsyncFunctionDef))
    ]
    if node.name[0] != "_" and call not in [m.name for m in methods]:
        yield node.lineno, f"class {node.name} has no method {call} ()"
    for method in methods:
        if method.name == call:
            yield from call_faults(method, call)
        elif method.name in ("start", "stop", "reset", "on_change"):
            yield from body_faults(method, method.name)
    for name, value, line in assignments(node):
        yield from attribute_faults(name, value, line)
    for item in node.body:
        if isinstance(item, ast.AnnAssign) and item.value is not None:
            yield from annotation_faults(item)


def annotation_faults(item: ast.AnnAssign) -> Iterator[Fault]:
    kind, name = name_of(item.annotation), name_of(item.target)
    if kind in KINDS and not isinstance(item.value, ast.Call):
        yield item.lineno, (
            f"{name} has only the annotation {kind}, which declares nothing; "
            f"write {name} = {kind} (...)"
        )


def assignments(
    node: ast.ClassDef,
) -> Iterator[tuple[str, ast.expr, int]]:
    """Return the attributes of a class: name, value and line."""
    for item in node.body:
        if isinstance(item, ast.AnnAssign) and item.value is not None:
            yield name_of(item.target), item.value, item.lineno
        if not isinstance(item, ast.Assign):
            continue
        for target in item.targets:
            names, values = [target], [item.value]
            if isinstance(target, ast.Tuple):
                names = target.elts
                values = getattr(item.value, "elts", [])
            for name, value in zip(names, values):
                yield name_of(name), value, item.lineno


def attribute_faults(
    name: str, value: ast.expr, line: int
) -> Iterator[Fault]:
    if isinstance(value, ast.Call) and name_of(value.func) in KINDS:
        if name in LIMITS and name_of(value.func) != "Int":
            yield line, f"{name} is the format's, which has whole numbers"
        yield from parameter_faults(name, value, line)
    elif name_of(value) in KINDS:
        kind = name_of(value)
        yield line, (
            f"{name} is the class {kind}; write it with its default, "
            f"{kind} (...)"
        )
    elif name in LIMITS and isinstance(value, ast.Constant):
        low, high = LIMITS[name]
        number = value.value
        if number is None and name != "latency":
            return
        is_whole = isinstance(number, (int, float)) and number == int(number)
        if not is_whole or not low <= number <= high:
            yield line, (
                f"{name} is {number!r}, not a whole number from {low} to "
                f"{high}"
            )


def parameter_faults(name: str, call: ast.Call, line: int) -> Iterator[Fault]:
    """Return the faults in the arguments of one of nda's types, if they are
    literals."""
    try:
        words = [ast.literal_eval(word) for word in call.args]
        named = {
            word.arg: ast.literal_eval(word.value)
            for word in call.keywords
            if word.arg
        }
    except ValueError:
        return  # computed: running it shows
    try:
        getattr(nda.parameters, name_of(call.func))(*words, **named)
    except (TypeError, ValueError) as error:
        yield line, f"{name}: {error}"


def hint_faults(node: Function) -> Iterator[Fault]:
    """Return the faults of a function's parameters, after its “*”."""
    for word, default in zip(node.args.kwonlyargs, node.args.kw_defaults):
        if default is None:
            yield word.lineno, f"the parameter {word.arg} has no default"
        for found in ast.walk(word.annotation) if word.annotation else ():
            if isinstance(found, ast.Call) and name_of(found.func) in KINDS:
                yield from parameter_faults(word.arg, found, word.lineno)


def call_faults(node: Function, call: str) -> Iterator[Fault]:
    words = [w.arg for w in node.args.posonlyargs + node.args.args]
    words = words[1:] if words[:1] == ["self"] else words
    if len(words) > 1:
        yield node.lineno, (
            f"{call} () takes {', '.join(words)}: it gets a block, and "
            "parameters stand behind a “*”"
        )
    if not words and not node.args.vararg and call != "read":
        yield node.lineno, f"{call} () takes no block"
    yield from body_faults(node, call)


def body_faults(node: Function, call: str) -> Iterator[Fault]:
    """Return the faults that make a coroutine or a generator."""
    if isinstance(node, ast.AsyncFunctionDef):
        yield node.lineno, f"{call} () is a coroutine: nothing of it runs"
    elif call != "read":
        for found in own_nodes(node):
            if isinstance(found, (ast.Yield, ast.YieldFrom)):
                yield found.lineno, (
                    f"{call} () is a generator: nothing of it runs"
                )


def own_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """Return the nodes of a function, but not those of a function inside."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, (ast.FunctionDef, ast.Lambda)):
            yield child
            yield from own_nodes(child)
