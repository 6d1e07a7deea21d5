# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs a plugin's file; a part of ndapyembed.py.

Modules beside a plugin belong to its folder. Modules of the standard library,
site-packages and the rest of sys.path come first, as always (3.2). A module
that only the folder has is loaded from this folder and no other, although
sys.path has the folders of other plugins too.

For that, the code of a folder has its own `__import__`. It knows by which name
sys.modules has a module of the folder: by the module's own name, unless
another module had that name before.
"""

API = {"base_plugin", "nda_py_utils", "nda"}  # one for all plugins (2.7)

_folders = {}  # by directory
_owners = {}  # of the modules in folders, by their top name in sys.modules
_holders = {}  # the modules of plugins that bear one name, by this name
_names_lock = threading.Lock()  # names are given under it
_n_names = itertools.count(1)


class _OwnLoader(importlib.machinery.SourceFileLoader):
    """Runs a module of a folder, with the folder's own `__import__`."""

    def __init__(self, name, path, folder):
        super().__init__(name, path)
        self._folder = folder

    def path_stats(self, path):
        # cached bytecode is compared with edited code by seconds only
        raise OSError

    def exec_module(self, module):
        self._folder.stamps[self.path] = _stamp(self.path)
        self._folder.modules[module.__name__] = module
        module.__dict__["__builtins__"] = self._folder.builtins
        super().exec_module(module)
        self._folder.update_builtins()


class _Finder:
    """Finds the modules of folders by the names that they were given."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        owner = _owners.get(name.partition(".")[0])
        return owner.find(name, path) if owner is not None else None


class _PackageFinder:
    """Finds the package nda, which contains _api_path, if the path does not
    have it: a user's interpreter may lack it (API 2, 2.1)."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if name != "nda" or not _api_path:
            return None
        folder = os.path.dirname(_api_path)
        return importlib.util.spec_from_file_location(
            name,
            os.path.join(folder, "__init__.py"),
            submodule_search_locations=[folder],
        )


class _Folder:
    """The modules beside the plugins of one directory."""

    def __init__(self, directory):
        self.directory = directory
        self.names = {}  # in sys.modules, by top name; None: not of this one
        self.modules = {}  # that it has run, by their names in sys.modules
        self.stamps = {}  # of their files, by path
        self.builtins = {}
        self.update_builtins()

    def update_builtins(self):
        """Copy names that were added to builtins since, as gettext does."""
        self.builtins.update(vars(builtins), __import__=self.import_module)

    def import_module(self, name, globals=None, locals=None, fromlist=(),
                      level=0):
        """Replaces `__import__` for the code in this folder."""
        top, dot, rest = name.partition(".")
        own = None if level else self._name_of(top)
        if own is not None:
            name = own + dot + rest
        return builtins.__import__(name, globals, locals, fromlist, level)

    def find(self, name, path):
        """Return the spec of a module of this folder."""
        machinery = importlib.machinery
        real = name.rpartition(".")[2].partition("@")[0]
        path = path or [self.directory]
        spec = machinery.PathFinder.find_spec(real, path)
        if spec is None:
            return None
        if type(spec.loader) is machinery.SourceFileLoader:
            return importlib.util.spec_from_file_location(
                name,
                spec.origin,
                loader=_OwnLoader(name, spec.origin, self),
                submodule_search_locations=spec.submodule_search_locations,
            )
        if spec.origin is None:  # a folder of modules
            found = machinery.ModuleSpec(name, None, is_package=True)
            found.submodule_search_locations = list(
                spec.submodule_search_locations
            )
            return found
        return machinery.PathFinder.find_spec(name, path)

    def forget_edited(self):
        """Forget all modules if one was edited, so that they are imported
        again."""
        if all(_stamp(path) == old for path, old in self.stamps.items()):
            return
        for name, module in self.modules.items():
            if sys.modules.get(name) is module:
                del sys.modules[name]
        self.modules.clear()
        self.stamps.clear()

    def _name_of(self, top):
        try:
            return self.names[top]
        except KeyError:
            pass
        with _names_lock:
            own = self.names[top] = self._choose_name(top)
        return own

    def _choose_name(self, top):
        spec = importlib.machinery.PathFinder.find_spec(top, [self.directory])
        if spec is None or _is_shared(top):
            return None
        loaded = getattr(sys.modules.get(top), "__file__", None)
        if loaded is not None and os.path.dirname(loaded) == self.directory:
            return top
        is_source = spec.origin is None or spec.origin.endswith(".py")
        name = top
        if is_source and (top in sys.modules or top in _owners):
            name = f"{top}@nda{next(_n_names)}"
        _owners.setdefault(name, self)
        return name


def _stamp(path):
    """Return a value that changes when a file is written; None: it does not
    exist."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def _is_shared(top):
    """Return whether a place before the folders of plugins has the module."""
    if top in API or top in sys.builtin_module_names:
        return True
    if top in sys.stdlib_module_names:
        return True
    path = [p for p in sys.path if p not in _folders and p != _api_path]
    return importlib.machinery.PathFinder.find_spec(top, path) is not None


def _rename(module, name):
    """Give a plugin another name if another module has its own, for pickles.
    """
    other = f"{name}@nda{next(_n_names)}"
    module.__nda_name__ = other
    sys.modules[other] = module
    for value in list(module.__dict__.values()):
        if isinstance(value, (type, types.FunctionType)):
            if getattr(value, "__module__", None) == name:
                with contextlib.suppress(Exception):
                    value.__module__ = other
    return other


def _extend_path(directory):
    # 3.2: last, so that the standard library and site-packages come first; and
    # our own modules after even that, so that a plugin's copy of them comes
    # first (2.7)
    if directory not in sys.path:
        sys.path.append(directory)
    if _api_path in sys.path:
        sys.path.remove(_api_path)
    sys.path.append(_api_path)
    if _Finder not in sys.meta_path:
        sys.meta_path.insert(0, _Finder)
        sys.meta_path.append(_PackageFinder)
    folder = _folders.setdefault(directory, _Folder(directory))
    folder.forget_edited()
    return folder


def _execute(path, stem, folder):
    """Run the file as a module of that name (3.1), each time again (3.3)."""
    _plugin_files.add(path)
    calling("module code")
    module = types.ModuleType(stem)
    module.__file__ = path
    module.__dict__["__builtins__"] = folder.builtins
    with open(path, "rb") as source:
        code = compile(source.read(), path, "exec", dont_inherit=True)
    previous = sys.modules.get(stem)
    sys.modules[stem] = module
    if not _is_shared(stem):
        folder.names[stem] = stem
    try:
        exec(code, module.__dict__)
    except BaseException:
        _give_back(stem, module, previous)
        raise
    folder.update_builtins()
    _settle_name(module, stem, previous, folder)
    return module


def _settle_name(module, stem, previous, folder):
    """Let a plugin keep its name, unless another module has it."""
    is_other = getattr(previous, "__file__", None) != module.__file__
    if (previous is not None and is_other) or _is_shared(stem):
        _give_back(stem, module, previous)
        other = _rename(module, stem)
        if not _is_shared(stem):
            folder.names[stem] = other
    else:
        _holders.setdefault(stem, []).append(module)


def _give_back(name, module, previous):
    """Give a module's name back to the module that had it before, if any."""
    if sys.modules.get(name) is not module:
        return
    if previous is not None:
        sys.modules[name] = previous
    else:
        del sys.modules[name]


def load(path, role="", entry=None):
    """Load a plugin file and make an instance.

    A file without create_plugin () is of API 2. Returns the module, the
    instance, and whether the instance is a BasePlugin, as API 1 requires.
    """
    directory, name = os.path.split(path)
    folder = _extend_path(directory)
    module = _execute(path, os.path.splitext(name)[0], folder)
    try:
        if entry or "create_plugin" not in vars(module):
            wrapper = Wrapper(module, find_entry(module, entry), role)
            return module, wrapper, True
        factory = module.create_plugin
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
        unload(module)
        raise


def unload(module):
    """Remove a plugin's module from sys.modules."""
    stem = os.path.splitext(os.path.basename(module.__file__))[0]
    sys.modules.pop(getattr(module, "__nda_name__", None), None)
    holders = _holders.get(stem, [])
    if module in holders:
        holders.remove(module)
        _give_back(stem, module, holders[-1] if holders else None)
