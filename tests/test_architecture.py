"""Asserts what holds for the repository as a whole: layers, names, and what each package carries.

It reads sources as text, so that no rule depends on what a module happens to import when it runs;
only the check of `__all__` imports anything.
"""

import ast
import importlib
import importlib.metadata
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("wsframe", "wscore", "wsproxy", "wscompat")

# What each package may import of the others anywhere, and what only inside a function, so that it
# is imported when it is asked for.
ALLOWED = {
    "wsframe": set(),
    "wscore": {"wsframe"},
    "wsproxy": set(),
    "wscompat": {"wsframe", "wscore"},
}
ALLOWED_LAZILY = {"wscore": {"wsproxy"}, "wscompat": {"wsproxy"}}

# The folders of wscore, from the entry points (which may import all of them) downwards, and what
# each may import besides itself and the modules that import nothing.
WSCORE_FOLDERS = {
    "opening": {"tls", "sockets", "connection", "handshake", "loop"},
    "tls": {"sockets", "connection", "loop"},
    "sockets": {"connection", "loop"},
    "messages": {"connection", "loop"},
    "connection": {"handshake", "loop"},
    "handshake": {"loop.raising"},
    "loop": set(),
}
WSCORE_LEAVES = {"errors", "enums", "logs"}
# What is imported against this direction for type checkers alone.
WSCORE_TYPES = {
    ("errors", "handshake.http"),
    ("handshake.http", "connection.transport"),
    ("loop.sink", "connection.protocol"),
    ("sockets.socket_server", "opening.unix"),
}

# The modules of wscore that wscompat imports besides `wscore` itself. They are private: no other
# package may use them, and as they may change in any version, wscompat depends on the exact one.
# Whoever adds a module here makes this interface wider; CONTRIBUTING.md says what each is for.
WSCORE_FOR_WSCOMPAT = {
    "connection.ping_watch",
    "connection.protocol",
    "connection.seconds",
    "connection.slow_calls",
    "errors",
    "handshake.fields",
    "handshake.http",
    "handshake.http_reader",
    "handshake.token",
    "messages.broadcast",
    "messages.message_connection",
    "opening.endpoints",
    "opening.listener_factory",
    "opening.tls_side",
    "opening.unix",
}

# The libraries whose interfaces are offered here are peers in tests, and nothing in the product.
PEERS = {"picows", "websockets", "wsproto", "wsaccel"}

CYTHON_IMPORT = re.compile(
    r"^(?P<indent>[ \t]*)"
    r"(?:from\s+(?P<origin>[\w.]+)\s+c?import\b|c?import\s+(?P<names>[\w., \t]+))"
)
CYTHON_RELATIVE = re.compile(
    r"^\s*from\s+(?P<dots>\.+)(?P<module>[\w.]*)\s+c?import\s+(?P<names>.+)"
)
# Folders of one machine; a path that means something everywhere begins with another name.
MACHINE_PATH = re.compile(r"(?<![\w.-])(?<!:/)/(?:work|tmp/w|root)(?![\w.-])")
NOT_SOURCES = {"__pycache__", "_build", "build", "dist", "corpus"}


class Import(NamedTuple):
    """One import: the top-level name, where, and whether it waits inside a function."""

    name: str
    place: str
    lazy: bool


def source_folder(package: str) -> Path:
    return ROOT / "packages" / package / "src" / package


def modules(package: str, *suffixes: str) -> list[Path]:
    return sorted(p for p in source_folder(package).rglob("*") if p.suffix in suffixes)


def python_imports(path: Path) -> Iterator[Import]:
    """Give the absolute imports of a Python file, `import_module("name")` included."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = (n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef))
    inside = {node for function in functions for node in ast.walk(function)}
    for node in ast.walk(tree):
        names: list[str] = []
        match node:
            case ast.Import():
                names = [alias.name for alias in node.names]
            case ast.ImportFrom(module=str(module), level=0):
                names = [module]
            case ast.Call(
                func=ast.Attribute(attr="import_module") | ast.Name(id="import_module"),
                args=[ast.Constant(value=str(module)), *_],
            ):
                names = [module]
        for name in names:
            yield Import(name.partition(".")[0], f"{path.name}:{node.lineno}", node in inside)


def cython_imports(path: Path) -> Iterator[Import]:
    """Give the absolute imports and cimports of a Cython file; an indented one counts as lazy."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if found := CYTHON_IMPORT.match(line):
            names = (found["origin"] or found["names"]).split(",")
            for name in names:
                top = name.split()[0].partition(".")[0]
                if top:  # a relative import begins with a dot
                    yield Import(top, f"{path.name}:{number}", bool(found["indent"]))


def imports(package: str) -> list[Import]:
    found = [i for path in modules(package, ".py", ".pyi") for i in python_imports(path)]
    return found + [i for path in modules(package, ".pyx", ".pxd") for i in cython_imports(path)]


@pytest.mark.parametrize("package", PACKAGES)
def test_imports_go_downwards(package: str) -> None:
    others = set(PACKAGES) - {package}
    wrong = [
        found
        for found in imports(package)
        if found.name in others
        and found.name not in ALLOWED[package]
        and not (found.lazy and found.name in ALLOWED_LAZILY.get(package, set()))
    ]
    assert not wrong


def wscore_modules(path: Path) -> Iterator[str]:
    """Yield the modules of wscore that a Python file imports, without the package's name."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Import():
                names = [alias.name for alias in node.names]
            case ast.ImportFrom(module=str(module), level=0):
                folder = source_folder("wscore").parent.joinpath(*module.split("."))
                below = [f"{module}.{alias.name}" for alias in node.names]
                names = below if module != "wscore" and folder.is_dir() else [module]
            case _:
                names = []
        yield from (name.partition(".")[2] for name in names if name.startswith("wscore."))


def test_wscompat_imports_only_the_listed_modules_of_wscore() -> None:
    imported = {name for path in modules("wscompat", ".py") for name in wscore_modules(path)}
    assert imported == WSCORE_FOR_WSCOMPAT


def test_wscompat_depends_on_the_exact_version_of_wscore() -> None:
    project = (ROOT / "packages" / "wscompat" / "pyproject.toml").read_text(encoding="utf-8")
    version = importlib.import_module("wscore").__version__
    assert f'"wscore-asyncio[deflate]=={version}"' in project


class OwnImport(NamedTuple):
    """An import within wscore: from which module, of which one, and whether for types alone."""

    importer: str
    imported: str
    types_only: bool


def resolved(path: Path, dots: int, module: str | None, names: list[str]) -> Iterator[str]:
    """Give the modules that a relative import names, without that of the package."""
    folder = path.parents[dots - 1].relative_to(source_folder("wscore"))
    base = [*folder.parts, *(module.split(".") if module else [])]
    if source_folder("wscore").joinpath(*base).is_dir():
        for name in names:
            yield ".".join([*base, name])
    else:
        yield ".".join(base)


def own_imports(path: Path) -> Iterator[OwnImport]:
    importer = ".".join(path.relative_to(source_folder("wscore")).with_suffix("").parts)
    text = path.read_text(encoding="utf-8")
    if path.suffix in {".pyx", ".pxd"}:
        for line in text.splitlines():
            if found := CYTHON_RELATIVE.match(line):
                names = [name.split()[0] for name in found["names"].strip("( ").split(",") if name]
                for name in resolved(path, len(found["dots"]), found["module"], names):
                    yield OwnImport(importer, name, False)
        return
    tree = ast.parse(text)
    checks = (node for node in ast.walk(tree) if isinstance(node, ast.If))
    for_types = {
        inner
        for check in checks
        if isinstance(check.test, ast.Name) and check.test.id == "TYPE_CHECKING"
        for inner in ast.walk(check)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level:
            names = [alias.name for alias in node.names]
            for name in resolved(path, node.level, node.module, names):
                yield OwnImport(importer, name, path.suffix == ".pyi" or node in for_types)


def goes_down(importer: str, imported: str) -> bool:
    """Whether a module of wscore may import another one of it when it runs."""
    if importer in WSCORE_LEAVES:
        return False
    if "." not in importer or imported in WSCORE_LEAVES:
        return True
    here, there = importer.partition(".")[0], imported.partition(".")[0]
    return there == here or bool({there, imported} & WSCORE_FOLDERS[here])


def test_imports_within_wscore_go_downwards() -> None:
    files = modules("wscore", ".py", ".pyi", ".pyx", ".pxd")
    assert {path.parent.name for path in files} == {"wscore", *WSCORE_FOLDERS}
    upwards = [
        found
        for path in files
        for found in own_imports(path)
        if not goes_down(found.importer, found.imported)
    ]
    assert {found[:2] for found in upwards if found.types_only} == WSCORE_TYPES
    assert [found for found in upwards if not found.types_only] == []


@pytest.mark.parametrize("package", PACKAGES)
def test_no_peer_is_imported(package: str) -> None:
    assert not [found for found in imports(package) if found.name in PEERS]


def test_framing_knows_no_event_loop() -> None:
    assert not [found for found in imports("wsframe") if found.name in {"asyncio", "socket"}]


@pytest.mark.parametrize("package", PACKAGES)
def test_every_module_has_its_test_file(package: str) -> None:
    missing = []
    for module in modules(package, ".py", ".pyx"):
        if module.stem == "__init__":
            continue
        folder = ROOT / "tests" / package / module.parent.relative_to(source_folder(package))
        test_file = folder / f"test_{module.stem.strip('_')}.py"
        if not test_file.is_file():
            missing.append(str(test_file.relative_to(ROOT)))
    assert not missing


@pytest.mark.parametrize("package", PACKAGES)
def test_every_package_says_what_is_public(package: str) -> None:
    files = [path for path in modules(package, ".py") if path.name == "__init__.py"]
    assert files
    for path in files:
        name = ".".join(path.parent.relative_to(source_folder(package).parent).parts)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of packages kept for old programs
            module = importlib.import_module(name)
        assert "__all__" in vars(module), f"{name} has no __all__"
        assert [public for public in module.__all__ if not hasattr(module, public)] == []
        assert len(set(module.__all__)) == len(module.__all__)


@pytest.mark.parametrize("package", PACKAGES)
def test_every_package_is_typed(package: str) -> None:
    assert (source_folder(package) / "py.typed").is_file()
    # Mypy notices a compiled module that Python imports and that has no stub.
    stubs = modules(package, ".pyi")
    assert [path.name for path in stubs if not path.with_suffix(".pyx").is_file()] == []


@pytest.mark.parametrize("package", PACKAGES)
def test_every_package_carries_the_license_and_its_papers(package: str) -> None:
    folder = ROOT / "packages" / package
    assert (folder / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()
    for name in ("README.md", "CHANGELOG.md", "pyproject.toml"):
        assert (folder / name).is_file()


@pytest.mark.parametrize("package", PACKAGES)
def test_every_package_says_one_version_everywhere(package: str) -> None:
    project = (ROOT / "packages" / package / "pyproject.toml").read_text(encoding="utf-8")
    distribution = re.search(r'^name = "([\w-]+)"$', project, re.MULTILINE)
    assert distribution
    own = importlib.import_module(package).__version__
    assert importlib.metadata.version(distribution[1]) == own
    assert f"\n## {own}\n" in (ROOT / "packages" / package / "CHANGELOG.md").read_text(
        encoding="utf-8"
    )
    assert f'version = release = "{own}"' in (ROOT / "docs" / "conf.py").read_text(encoding="utf-8")


def test_the_c_library_has_the_version_of_its_package() -> None:
    header = ROOT / "packages" / "wsframe" / "c" / "include" / "wsframe" / "version.h"
    own = importlib.import_module("wsframe").__version__
    assert f'#define WSF_VERSION "{own}"\n' in header.read_text(encoding="utf-8")


def text_files() -> Iterator[Path]:
    folders = ("packages", "tests", "docs", "examples", "benchmarks", "cmake", ".ci")
    yield from (path for path in ROOT.iterdir() if path.is_file())
    for folder in folders:
        for path in (ROOT / folder).rglob("*"):
            if path.is_file() and not NOT_SOURCES & set(path.relative_to(ROOT).parts):
                yield path


def test_no_file_names_a_folder_of_one_machine() -> None:
    found = []
    for path in text_files():
        text = path.read_bytes().decode("utf-8", "replace")
        for number, line in enumerate(text.splitlines(), 1):
            if MACHINE_PATH.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}")
    assert not found
