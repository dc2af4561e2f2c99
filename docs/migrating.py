"""Write docs/migrating.md: the names of websockets that are the same, different, or missing here.

    python docs/migrating.py

Both packages must be installed. Existing names are found by introspection; differences in behaviour
are listed in the tables below. A test compares the page with the output of this program.
"""

import importlib
import inspect
import pkgutil
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import websockets.version

PAGE = Path(__file__).with_suffix(".md")

_BACKLOG = (
    "`backlog` is 4096 by default, not asyncio's 100, so that the system does not drop "
    "simultaneous connections, which are only retried seconds later"
)
_UNIX = (
    "removes the path when the server is closed, and accepts `cleanup_socket`, on every version "
    "of Python and every loop; websockets leaves this to the loop: asyncio does it from 3.13 on"
)
#: Names, or members of classes, that exist but behave differently, with the difference.
DIFFERENT = {
    "asyncio.connection.Connection.recv": "up to 64 queued messages are returned at once, then "
    "the loop iterates before the next; text that is not UTF-8 closes the connection when it "
    "arrives, not when it is returned; reading also pauses at 1 MiB of queued frames, unless "
    "`max_queue` is None; on Python 3.11 `inspect.iscoroutinefunction` returns False for it, "
    "`asyncio.iscoroutinefunction` returns True",
    "asyncio.connection.Connection.send": "on Python 3.11 as for `recv`",
    "asyncio.connection.Connection.close": "a full queue of unread messages does not prevent the "
    "connection from closing: if none is received for a second, or half of `close_timeout` if "
    "that is less, later data is discarded; immediately if the task that closes is the one that "
    "receives",
    "asyncio.connection.Connection.transport": "only for `get_extra_info()`; do not send with it",
    "asyncio.connection.Connection.protocol": "has what was negotiated and the state of closing, "
    "but no methods; a subclass with its own `__init__` must pass on all arguments",
    "asyncio.client.connect": "`proxy`: a SOCKS5 URL with an empty password or an empty user name "
    "is refused; websockets then sends no credentials",
    "asyncio.server.serve": _BACKLOG,
    "legacy.server.Serve": _BACKLOG,
    "asyncio.router.unix_route": _UNIX,
    "asyncio.server.unix_serve": _UNIX,
    "legacy.server.unix_serve": _UNIX,
    "extensions.base.Extension": "in `connect` and `serve` of `asyncio` it gets only data frames",
    "extensions.permessage_deflate.PerMessageDeflate.decode": "continues after deflate blocks "
    "that are marked as final, within a message and in the next one; websockets loses the data "
    "after them",
    "legacy.protocol.WebSocketCommonProtocol.close": "cancelling it does not stop the closing "
    "handshake; an invalid code leaves the connection unchanged",
    "legacy.protocol.WebSocketCommonProtocol.data_received": "only called for transports created "
    "by others; wscompat reads its own sockets without it",
    "legacy.protocol.WebSocketCommonProtocol.__init__": "`read_limit` has no effect: the "
    "connections of a loop share one receive buffer; `max_queue`: reading also pauses at 1 MiB",
    "http11.SERVER": "names wscompat",
    "http11.USER_AGENT": "names wscompat",
    "protocol.Protocol.receive_data": "rejects a frame whose length is not in its shortest form "
    "or has its most significant bit set",
    "version.version": "the version of wscompat",
    "version.tag": "the version of wscompat",
    "version.commit": "the version of wscompat",
}
#: Missing modules: the reason, and the replacement.
ELSEWHERE = {
    "sync": "threads; use `asyncio`, or the real websockets without `install()`",
    "trio": "trio; use `asyncio`, or the real websockets without `install()`",
    "speedups": "compiled parts of websockets; the corresponding parts of wscompat are in wsframe",
}
#: Internals of websockets that are visible in its modules, but not called by programs.
INTERNAL = {
    "asyncio.connection.Connection": {
        *(
            "__init__",
            "acknowledge_pings",
            "connection_lost",
            "connection_made",
            "data_received",
            "drain",
        ),
        *("eof_received", "keepalive", "pause_writing", "process_event", "resume_writing"),
        *("send_context", "send_data", "set_connection_exc", "start_keepalive"),
        "terminate_pending_pings",
    },
    "asyncio.client.ClientConnection": {"handshake"},
    "asyncio.client.connect": {"connect", "open_tcp_connection"},
    "asyncio.server.ServerConnection": {"handshake"},
    "frames.Frame": {"DEFAULT_IS_TEXT"},
    "imports.lazy_import": None,
    "legacy.auth.is_credentials": None,
    "legacy.http.d": None,
    "legacy.http.read_headers": None,
    "legacy.http.read_line": None,
    "legacy.protocol.WebSocketCommonProtocol": {
        *("abort_pings", "close_connection", "close_transport", "drain", "keepalive_ping"),
        *("read_data_frame", "read_frame", "read_message", "transfer_data"),
        *("wait_for_connection_lost", "write_close_frame", "write_frame", "write_frame_sync"),
    },
    "protocol.Protocol": {"discard"},
}
MACHINERY = "internal, not for programs"
#: Default values that differ because they name the library, or are its own functions.
OWN_DEFAULTS = {
    *("user_agent_header", "server_header", "process_exception", "reconnect_delays"),
    *("pause", "resume"),
}

INTRODUCTION = """\
# How to migrate from websockets

<!-- Written by docs/migrating.py. Change that, and run it. -->

Either change the imports from `websockets` to `wscompat`:

```python
import wscompat as websockets
from wscompat.asyncio.client import connect
```

or, if you cannot change the program, run this before anything imports websockets:

```python
import wscompat

wscompat.install()
```

From then on `import websockets` imports wscompat in the whole process; the exceptions are the same
classes under both names. If websockets has already been imported, `install` raises `RuntimeError`.
`wscompat.uninstall()` reverts it.

wscompat never imports websockets, which does not have to be installed. (pip installs it for
libraries that require it; then it is not used.) The environment variables `WEBSOCKETS_...` and the
names of the loggers, `websockets.client` and `websockets.server`, are those of websockets, so that
existing configuration still applies.

## Differences in behaviour

```{include} ../packages/wscompat/README.md
:start-after: "## What differs from websockets"
:end-before: "MIT license."
```

## Every name

This list compares with websockets {version}. "The same" means that the names, arguments and default
values are equal, and that the tests found no other difference.
"""


def modules() -> Iterator[str]:
    """Yield the names of websockets' modules, except those for other frameworks."""
    yield ""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # packages are imported to inspect them
        below = [found.name for found in pkgutil.walk_packages(websockets.__path__, "websockets.")]
    for full_name in below:
        name = full_name.removeprefix("websockets.")
        if name.partition(".")[0] not in ELSEWHERE and name != "__main__":
            yield name


def load(package: str, name: str) -> ModuleType | None:
    """Return a module of a package, or None."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return importlib.import_module(f"{package}.{name}" if name else package)
        except ModuleNotFoundError:
            return None


def public_names(module: ModuleType) -> list[str]:
    """Return the public names of a module, including old names for the legacy API."""
    names = set(getattr(module, "__all__", ()))
    origins = {"websockets.legacy"} if names else {"websockets.legacy", module.__name__}
    if module.__name__.startswith("websockets.legacy."):
        origins = {module.__name__}  # these modules import much from each other
    for name in dir(module):
        origin = getattr(get(module, name), "__module__", None) or ""
        if not name.startswith("_") and origin.startswith(tuple(origins)):
            names.add(name)
    return sorted(names)


def get(module: ModuleType, name: str) -> Any:
    """Return an attribute of a module; old names warn when they are used."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return getattr(module, name)


def has(module: ModuleType, name: str) -> bool:
    """Return whether a module has an attribute, even under an old name."""
    try:
        get(module, name)
    except AttributeError:
        return False
    return True


def compare(qualified: str, model: Any, ours: Any) -> list[str]:
    """Return the differences of a name; none if it is the same."""
    notes = [DIFFERENT[qualified]] if qualified in DIFFERENT else []
    hidden: set[str] = set()
    if inspect.isclass(model):
        hidden = hidden.union(*(hidden_members(found) for found in model.__mro__))
        public = {name for name in dir(model) if not name.startswith("_")} - hidden
        absent = sorted(public - set(dir(ours)))
        if absent:
            notes.append("without " + ", ".join(f"`{name}`" for name in absent))
        for name in sorted(public & set(dir(ours))):
            notes += [
                f"`{name}`: {note}"
                for note in compare_arguments(getattr(model, name), getattr(ours, name))
            ]
        for key, note in DIFFERENT.items():
            owner, _, member = key.rpartition(".")
            if owner == qualified:
                notes.append(f"`{member}`: {note}")
    if callable(model) and "__init__" not in hidden and not issubclass_of_exception(model):
        notes += compare_arguments(model, ours)
    return notes


def hidden_members(found: type) -> set[str]:
    """Return the internal members of a class."""
    qualified = f"{found.__module__}.{found.__qualname__}".removeprefix("websockets.")
    return INTERNAL.get(qualified) or set()


def issubclass_of_exception(found: Any) -> bool:
    """Return whether something is an exception class."""
    return inspect.isclass(found) and issubclass(found, BaseException)


def compare_arguments(model: Any, ours: Any) -> list[str]:
    """Return the differences between the arguments of two callables."""
    try:
        theirs, own = (inspect.signature(found).parameters for found in (model, ours))
    except (TypeError, ValueError):
        return []
    notes = []
    absent = [name for name in theirs if name not in own]
    takes_all = any(found.kind is found.VAR_KEYWORD for found in own.values())
    if absent and not (takes_all and set(absent) <= {"args", "kwargs"}):
        notes.append("without the arguments " + ", ".join(f"`{name}`" for name in absent))
    for name in theirs:
        if name in own and name not in OWN_DEFAULTS:
            given, other = theirs[name].default, own[name].default
            if str(given) != str(other):
                notes.append(f"`{name}` is {other!r} by default")
    return notes


def rows() -> Iterator[tuple[str, str, str, str]]:
    """Yield every public name of websockets: module, name, state, differences."""
    for module_name in modules():
        model = load("websockets", module_name)
        ours = load("wscompat", module_name)
        if model is None:
            continue
        for name in public_names(model):
            qualified = f"{module_name}.{name}".lstrip(".")
            if qualified in INTERNAL and INTERNAL[qualified] is None:
                yield module_name, name, "missing", MACHINERY
            elif ours is None or not has(ours, name):
                yield module_name, name, "missing", ""
            else:
                value = get(model, name)
                known = qualified if module_name else home(value, name)
                notes = compare(known, value, get(ours, name))
                yield module_name, name, "different" if notes else "the same", "; ".join(notes)


def home(value: Any, name: str) -> str:
    """Return the qualified name of something that was imported from another module."""
    module = getattr(value, "__module__", "").removeprefix("websockets.")
    return f"{module}.{name}"


def page() -> str:
    """Return the text of the page."""
    parts = [INTRODUCTION.replace("{version}", websockets.version.version)]
    found = list(rows())
    for module_name in dict.fromkeys(row[0] for row in found):
        parts.append(f"### `{f'websockets.{module_name}'.rstrip('.')}`\n")
        own = [row for row in found if row[0] == module_name]
        same = [f"`{name}`" for _, name, state, _ in own if state == "the same"]
        if same:
            parts.append("The same: " + ", ".join(same) + ".\n")
        others = [row for row in own if row[2] != "the same"]
        if others:
            lines = ["| name | | |", "| --- | --- | --- |"]
            lines += [f"| `{name}` | {state} | {how} |" for _, name, state, how in others]
            parts.append("\n".join(lines) + "\n")
    parts.append("### Missing modules\n")
    lines = [f"- `websockets.{name}`: {reason}." for name, reason in ELSEWHERE.items()]
    parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
