"""Negotiation of permessage-deflate (RFC 7692), the compression of messages.

Sans-I/O: header values go in, header values and agreed parameters come out. Compression itself is
in `deflate_streams`. This side must never agree to parameters that it cannot honour: no engine
compresses with a window of 256 bytes (8 bits), so that is never agreed to.
"""

from __future__ import annotations

import functools
import importlib
import re
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

__all__ = ["EXTENSION", "WSDeflate", "WSDeflateParameters", "check_deflate"]

EXTENSION = "permessage-deflate"

SERVER_NO_CONTEXT = "server_no_context_takeover"
CLIENT_NO_CONTEXT = "client_no_context_takeover"
SERVER_BITS = "server_max_window_bits"
CLIENT_BITS = "client_max_window_bits"

MAX_BITS = 15
MIN_OWN_BITS = 9  # the smallest window that engines compress with

SMALL_SIZE = 512  # bytes up to which zlib compresses best, without context takeover
SMALL_BITS = 10  # the smallest window in which zlib can refer to all of such a message

_loaded: dict[str, Any] = {}  # modules by engine; None for one that is not installed

_WINDOW_BITS = re.compile(r"[89]|1[0-5]")

Parameters = Iterable[tuple[str, str | None]]


class Compressor(NamedTuple):
    """Factories of the compression objects of a connection.

    Attributes:
        key: equal for compressors that are interchangeable.
        make: makes a compression object.
        make_small: makes one for a single message of up to `SMALL_SIZE` bytes, without context.
    """

    key: tuple[object, ...]
    make: Callable[[], Any]
    make_small: Callable[[], Any]


class _Engine(NamedTuple):
    module: str
    package: str | None  # that provides it; None for the standard library
    level: int  # by default
    min_level: int
    max_level: int
    memory_level: int | None = None  # the only sensible one; None if the user may choose


# The fastest compressor first. For isal level 1 is the best compromise: higher levels need twice
# the memory and save almost nothing, and level 0 puts the same Huffman table, of 110 bytes, into
# each message. A memory level above 3 gains nothing.
_ENGINES = {
    "isal": _Engine("isal.isal_zlib", "isal", 1, 1, 3, memory_level=3),
    "zlib-ng": _Engine("zlib_ng.zlib_ng", "zlib-ng", 3, 0, 9),
    "zlib": _Engine("zlib", None, 6, 0, 9),
}


# The fastest inflater first, which also needs less memory: isal builds large tables for each
# message, so it is slower for messages of up to a few KiB.
_INFLATING = ("zlib-ng", "isal", "zlib")


@dataclass(frozen=True, slots=True)
class WSDeflateParameters:
    """The parameters of permessage-deflate that both sides agreed on (RFC 7692, 7.1).

    Attributes:
        server_no_context_takeover: whether the server compresses each message independently of
            earlier ones.
        client_no_context_takeover: whether the client does.
        server_max_window_bits: the base-2 logarithm of the server's LZ77 window in bytes, 8 to 15.
        client_max_window_bits: the base-2 logarithm of the client's.
    """

    server_no_context_takeover: bool = False
    client_no_context_takeover: bool = False
    server_max_window_bits: int = MAX_BITS
    client_max_window_bits: int = MAX_BITS


@dataclass(frozen=True, slots=True, kw_only=True)
class WSDeflate:
    """The settings of permessage-deflate that one side offers or accepts, and of its compression.

    Every peer supports the defaults. Setting both windows to 12 on a server saves memory on both
    sides at little cost in size. When a client asks for a smaller server window, a server that
    does not support it declines compression; one that ignores it fails the handshake.

    Args:
        server_no_context_takeover: whether the server must compress each message independently.
            This saves memory on both sides, but small messages compress much less.
        client_no_context_takeover: whether the client must do so.
        server_max_window_bits: the base-2 logarithm of the server's largest LZ77 window, 9 to 15
            (512 bytes to 32 KiB); None to leave it to the peer.
        client_max_window_bits: the same for the client. True lets the server choose; on a server
            it is the same as None.
        engine: the compression library: ``"isal"``, ``"zlib-ng"`` (packages of these names) or
            ``"zlib"``. None for the fastest that is installed. For compression that is the first
            in this order, with two exceptions: if a level is given isal is skipped, since its
            levels have other meanings; if none is, zlib compresses messages of up to 512 bytes
            without context takeover, such as broadcasts. For inflating zlib-ng precedes isal.
        level: 0 to 9, for isal 1 to 3 (with its level 0 small messages grow); None for the engine's
            best compromise.
        memory_level: 1 to 9; how much memory zlib and zlib-ng use besides the window.
        min_size: the size in bytes from which messages are compressed, unless
            `WSTransport.send_message` overrides it.

    Raises:
        ValueError: if a value is out of range.
        ImportError: if the engine is not installed.
    """

    server_no_context_takeover: bool = False
    client_no_context_takeover: bool = False
    server_max_window_bits: int | None = None
    client_max_window_bits: int | Literal[True] | None = True
    engine: str | None = None
    level: int | None = None
    memory_level: int = 5
    min_size: int = 128

    def __post_init__(self) -> None:
        for name in (SERVER_BITS, CLIENT_BITS):
            bits = getattr(self, name)
            anything = bits is None or (bits is True and name == CLIENT_BITS)
            if not anything and not MIN_OWN_BITS <= bits <= MAX_BITS:
                raise ValueError(f"{name} must be from {MIN_OWN_BITS} to {MAX_BITS}, not {bits!r}")
        engine, level = self._chosen()
        lowest, highest = _ENGINES[engine].min_level, _ENGINES[engine].max_level
        if not lowest <= level <= highest:
            reason = "; with level 0 small messages would grow" if level == 0 else ""
            raise ValueError(
                f"the level of {engine} must be from {lowest} to {highest}, not {level}{reason}"
            )
        if not 1 <= self.memory_level <= 9:
            raise ValueError(f"memory_level must be from 1 to 9, not {self.memory_level}")
        if self.min_size < 0:
            raise ValueError(f"min_size must not be negative: {self.min_size}")

    # -- the client

    def offer(self) -> str:
        """Return a client's offer for ``Sec-WebSocket-Extensions``."""
        return _written(
            self.server_no_context_takeover,
            self.client_no_context_takeover,
            self.server_max_window_bits,
            self.client_max_window_bits,
        )

    def confirm(self, parameters: Parameters) -> WSDeflateParameters:
        """Return the parameters agreed on when a server has accepted the offer.

        Args:
            parameters: those of the server's response.

        Raises:
            ValueError: if the response is malformed, does not match this offer, or requires a
                window that no engine supports.
        """
        answer = _read(parameters, in_offer=False)
        if self.server_no_context_takeover and SERVER_NO_CONTEXT not in answer:
            raise ValueError(f"{SERVER_NO_CONTEXT} was requested but not accepted")
        server_bits = answer.get(SERVER_BITS, MAX_BITS)
        asked = self.server_max_window_bits
        if asked is not None and (SERVER_BITS not in answer or server_bits > asked):
            raise ValueError(f"{SERVER_BITS}={asked} was requested, not {answer.get(SERVER_BITS)}")
        if self.client_max_window_bits is None and CLIENT_BITS in answer:
            raise ValueError(f"{CLIENT_BITS} was not offered")
        offered = _bits(self.client_max_window_bits)
        client_bits = answer.get(CLIENT_BITS, offered)
        if not MIN_OWN_BITS <= client_bits <= offered:
            raise ValueError(f"{CLIENT_BITS}={client_bits} is not supported")
        return WSDeflateParameters(
            SERVER_NO_CONTEXT in answer,
            self.client_no_context_takeover or CLIENT_NO_CONTEXT in answer,
            server_bits,
            client_bits,
        )

    # -- the server

    def answer(self, offers: Iterable[Parameters]) -> tuple[str, WSDeflateParameters] | None:
        """Accept the first of a client's offers that this side supports.

        Args:
            offers: the parameters of each.

        Returns:
            The value for ``Sec-WebSocket-Extensions``, and the agreed parameters; None to decline.
        """
        for parameters in offers:
            try:
                offer = _read(parameters, in_offer=True)
            except ValueError:
                continue  # decline invalid parameters (RFC 7692, 7)
            server_bits = min(offer.get(SERVER_BITS, MAX_BITS), _bits(self.server_max_window_bits))
            if server_bits < MIN_OWN_BITS:
                continue
            return self._accepted(offer, server_bits)
        return None

    def _accepted(self, offer: dict[str, int], server_bits: int) -> tuple[str, WSDeflateParameters]:
        """Return the response to an offer.

        Parameters that the client offers for itself are confirmed: it costs nothing, and the client
        can rely on them. Only clients that offer `client_max_window_bits` support it.
        """
        asked = self.client_max_window_bits
        client_bits = min(_bits(offer.get(CLIENT_BITS)), _bits(asked))
        agreed = WSDeflateParameters(
            self.server_no_context_takeover or SERVER_NO_CONTEXT in offer,
            self.client_no_context_takeover or CLIENT_NO_CONTEXT in offer,
            server_bits,
            client_bits if CLIENT_BITS in offer else MAX_BITS,
        )
        says_server_bits = SERVER_BITS in offer or self.server_max_window_bits is not None
        says_client_bits = CLIENT_BITS in offer and not (
            offer[CLIENT_BITS] is True and asked in (None, True)
        )
        header = _written(
            agreed.server_no_context_takeover,
            agreed.client_no_context_takeover,
            server_bits if says_server_bits else None,
            client_bits if says_client_bits else None,
        )
        return header, agreed

    # -- both

    def compressor(self, window_bits: int) -> Compressor:
        """Return the factories of compression objects.

        Args:
            window_bits: the base-2 logarithm of the LZ77 window.
        """
        engine, level = self._chosen()
        memory_level = _ENGINES[engine].memory_level or self.memory_level
        arguments = (level, zlib.DEFLATED, -window_bits, memory_level)
        make = make_small = functools.partial(_load(engine).compressobj, *arguments)
        is_default = self.engine is None and self.level is None
        if is_default:
            bits = min(window_bits, SMALL_BITS)
            level = _ENGINES["zlib"].level
            make_small = functools.partial(zlib.compressobj, level, zlib.DEFLATED, -bits, 3)
        return Compressor((is_default, engine, *arguments), make, make_small)

    def inflater(self) -> tuple[Callable[..., Any], type[Exception]]:
        """Return a factory of decompression objects, and the exception for corrupt data."""
        module = _load(self.engine or _installed(_INFLATING))
        return module.decompressobj, module.error

    def _chosen(self) -> tuple[str, int]:
        """Return the engine and its level."""
        if self.engine is None:
            name = _installed(name for name in _ENGINES if self.level is None or name != "isal")
        elif self.engine not in _ENGINES:
            raise ValueError(f"engine must be one of {', '.join(_ENGINES)}, not {self.engine!r}")
        else:
            name = self.engine
            if _load(name) is None:
                raise ImportError(f"engine {name!r} needs the package {_ENGINES[name].package}")
        return name, _ENGINES[name].level if self.level is None else self.level


def check_deflate(deflate: object) -> None:
    """Check that the argument `deflate` is a `WSDeflate` or None, for no compression.

    Args:
        deflate: the argument.

    Raises:
        TypeError: if it is of another type.
    """
    if deflate is not None and not isinstance(deflate, WSDeflate):
        raise TypeError(f"deflate must be a WSDeflate or None, not {deflate!r}")


def _installed(engines: Iterable[str]) -> str:
    """Return the first of the engines that is installed."""
    return next(engine for engine in engines if _load(engine) is not None)


def _load(engine: str) -> Any:
    """Import the engine's module, which has the interface of `zlib`; None if not installed."""
    if engine not in _loaded:
        try:
            _loaded[engine] = importlib.import_module(_ENGINES[engine].module)
        except ImportError:
            _loaded[engine] = None
    return _loaded[engine]


def _bits(configured: int | None) -> int:
    """Return the largest window that a setting allows; True and None allow any."""
    return MAX_BITS if configured is None or configured is True else configured


def _read(parameters: Parameters, *, in_offer: bool) -> dict[str, int]:
    """Return the values of the given parameters; raise ValueError as RFC 7692, 7.1 requires."""
    values: dict[str, int] = {}
    for name, value in parameters:
        if name in values:
            raise ValueError(f"duplicate parameter: {name}")
        if name in (SERVER_NO_CONTEXT, CLIENT_NO_CONTEXT):
            if value is not None:
                raise ValueError(f"{name} must not have a value: {value!r}")
            values[name] = True
        elif name not in (SERVER_BITS, CLIENT_BITS):
            raise ValueError(f"{name} is not a parameter of {EXTENSION}")
        elif value is None and name == CLIENT_BITS and in_offer:
            values[name] = True
        elif value is None or not _WINDOW_BITS.fullmatch(value):
            raise ValueError(f"{name} must be from 8 to 15, not {value!r}")
        else:
            values[name] = int(value)
    return values


def _written(
    server_no_context: bool,
    client_no_context: bool,
    server_bits: int | None,
    client_bits: int | None,
) -> str:
    """Return the extension with its parameters, as a header value."""
    parts = [EXTENSION]
    if server_no_context:
        parts.append(SERVER_NO_CONTEXT)
    if client_no_context:
        parts.append(CLIENT_NO_CONTEXT)
    if server_bits is not None:
        parts.append(f"{SERVER_BITS}={server_bits}")
    if client_bits is True:
        parts.append(CLIENT_BITS)
    elif client_bits is not None:
        parts.append(f"{CLIENT_BITS}={client_bits}")
    return "; ".join(parts)
