# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Running a plugin's file; a part of ndapyembed.py."""


def _extend_path(directory):
    # 3.2: last, so that the standard library and site-packages win; and our
    # own modules behind even that, so that a plugin's copy of them wins (2.7)
    if directory not in sys.path:
        sys.path.append(directory)
    if _api_path in sys.path:
        sys.path.remove(_api_path)
    sys.path.append(_api_path)


def _execute(path, stem):
    """Run the file as a module of that name (3.1), afresh each time (3.3)."""
    _plugin_files.add(path)
    calling("module code")
    module = types.ModuleType(stem)
    module.__file__ = path
    with open(path, "rb") as source:
        code = compile(source.read(), path, "exec", dont_inherit=True)
    previous = sys.modules.get(stem)
    sys.modules[stem] = module
    try:
        exec(code, module.__dict__)
    except BaseException:
        _forget(module, previous)
        raise
    if previous is not None and not hasattr(previous, "__nda_plugin__"):
        # a plugin called like another module must not stay in its place
        sys.modules[stem] = previous
    module.__nda_plugin__ = True
    return module


def _forget(module, previous=None):
    if sys.modules.get(module.__name__) is module:
        if previous is not None:
            sys.modules[module.__name__] = previous
        else:
            del sys.modules[module.__name__]


def load(path):
    """Load a plugin file and make an instance.

    Returns the module, the instance, and whether it is a BasePlugin.
    """
    directory, name = os.path.split(path)
    _extend_path(directory)
    module = _execute(path, os.path.splitext(name)[0])
    try:
        factory = getattr(module, "create_plugin", None)
        if not callable(factory):
            raise PluginError(
                "it has no function create_plugin (), which makes the plugin"
            )
        calling("create_plugin ()")
        plugin = at_once(factory(), "create_plugin")
        if plugin is None:
            raise PluginError("its create_plugin () returned None")
        import base_plugin

        return module, plugin, isinstance(plugin, base_plugin.BasePlugin)
    except BaseException:
        _forget(module)
        raise
