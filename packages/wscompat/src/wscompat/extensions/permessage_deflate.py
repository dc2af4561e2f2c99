"""Compression of messages, ``permessage-deflate`` (RFC 7692), with Python's zlib.

Inflated data never exceeds the given limit, whatever the compressed data contains.
"""

from __future__ import annotations

import dataclasses
import zlib
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from ..exceptions import (
    DuplicateParameter,
    InvalidParameterName,
    InvalidParameterValue,
    NegotiationError,
    PayloadTooBig,
    ProtocolError,
)
from ..frames import Frame, Opcode
from ..typing import ExtensionName, ExtensionParameter
from .base import ClientExtensionFactory, Extension, ServerExtensionFactory

__all__ = [
    "ClientPerMessageDeflateFactory",
    "PerMessageDeflate",
    "ServerPerMessageDeflateFactory",
    "enable_client_permessage_deflate",
    "enable_server_permessage_deflate",
]

_NAME = ExtensionName("permessage-deflate")
_TAIL = b"\x00\x00\xff\xff"  # of every message; it is not transmitted (RFC 7692, 7.2.1)
_BITS = {str(bits): bits for bits in range(8, 16)}
_MIN_BITS = 9  # some zlibs that promise 8 refer back as far as 9 allow
_MAX_ENDS = 128  # blocks marked as the last in one message; each costs a new inflater


class PerMessageDeflate(Extension):
    """The extension of one connection.

    Args:
        remote_no_context_takeover: whether the peer compresses each message on its own.
        local_no_context_takeover: whether this side does.
        remote_max_window_bits: the peer's window, 8 to 15 bits.
        local_max_window_bits: this side's window, 9 to 15 bits: zlib cannot compress with 8.
        compress_settings: further arguments of `zlib.compressobj`.
    """

    name = _NAME

    def __init__(
        self,
        remote_no_context_takeover: bool,
        local_no_context_takeover: bool,
        remote_max_window_bits: int,
        local_max_window_bits: int,
        compress_settings: dict[Any, Any] | None = None,
    ) -> None:
        self.remote_no_context_takeover = remote_no_context_takeover
        self.local_no_context_takeover = local_no_context_takeover
        self.remote_max_window_bits = remote_max_window_bits
        self.local_max_window_bits = local_max_window_bits
        self.compress_settings = compress_settings or {}
        self.decode_cont_data = False  # whether the message under way is compressed
        self._inflater: Any = None  # of the message under way, or for all messages
        self._ends = 0  # of deflate streams within the message under way
        self._has_input = False  # whether that message is not empty so far
        self._deflater: Any = None

    def __repr__(self) -> str:
        return (
            f"PerMessageDeflate(remote_no_context_takeover={self.remote_no_context_takeover}, "
            f"local_no_context_takeover={self.local_no_context_takeover}, "
            f"remote_max_window_bits={self.remote_max_window_bits}, "
            f"local_max_window_bits={self.local_max_window_bits})"
        )

    def decode(self, frame: Frame, *, max_size: int | None = None) -> Frame:
        """Inflate a frame of a compressed message; others are returned as they are.

        Raises:
            PayloadTooBig: if it inflates to more than `max_size` bytes.
            ProtocolError: if it is no deflate data.
        """
        if frame.opcode >= Opcode.CLOSE:
            return frame
        if frame.opcode != Opcode.CONT:
            if not frame.rsv1:
                return frame
        elif not self.decode_cont_data or frame.rsv1:
            return frame
        self.decode_cont_data = not frame.fin
        self._has_input = self._has_input or bool(frame.data)
        data = self._inflate(frame, max_size) if self._has_input else b""
        if frame.fin:
            self._ends = 0
            self._has_input = False
            if self.remote_no_context_takeover:
                self._inflater = None
        return dataclasses.replace(frame, data=data, rsv1=False)

    def _inflate(self, frame: Frame, max_size: int | None) -> bytes:
        """Inflate the payload of a frame, to no more than one byte over the limit."""
        rest = bytes(frame.data) + _TAIL if frame.fin else bytes(frame.data)
        inflated = b""
        while rest and (max_size is None or len(inflated) <= max_size):
            if self._inflater is None:
                if frame.fin and rest == _TAIL:
                    break  # after a final block the tail would be parsed as another block
                self._inflater = zlib.decompressobj(-max(self.remote_max_window_bits, _MIN_BITS))
            room = 0 if max_size is None else max_size + 1 - len(inflated)
            try:
                inflated += self._inflater.decompress(rest, room)
            except zlib.error as exc:
                raise ProtocolError("decompression failed") from exc
            if not self._inflater.eof:
                break
            rest = self._begin_anew()
        if max_size is not None and len(inflated) > max_size:
            raise PayloadTooBig(None, max_size)
        return inflated

    def _begin_anew(self) -> bytes:
        """Return the data after a block that is marked as the last (RFC 7692, 7.2.3.4).

        Distances reach back to the beginning of a deflate stream only (RFC 1951, 3.2.3).
        """
        self._ends += 1
        if self._ends > _MAX_ENDS:
            raise ProtocolError("decompression failed")
        rest: bytes = self._inflater.unused_data
        self._inflater = None
        return rest

    def encode(self, frame: Frame) -> Frame:
        """Compress a data frame; control frames are returned as they are."""
        if frame.opcode >= Opcode.CLOSE:
            return frame
        if self._deflater is None:
            self._deflater = zlib.compressobj(
                wbits=-self.local_max_window_bits, **self.compress_settings
            )
        data = self._deflater.compress(frame.data) + self._deflater.flush(zlib.Z_SYNC_FLUSH)
        if frame.fin:
            data = data[: -len(_TAIL)]
            if self.local_no_context_takeover:
                self._deflater = None
        return dataclasses.replace(frame, data=data, rsv1=frame.opcode != Opcode.CONT)


# -- negotiation


class _Parameters(NamedTuple):
    """The parameters of an offer or an answer (RFC 7692, 7.1); None for those that are not there.

    True for `client_max_window_bits` means that it has no value.
    """

    server_no_context_takeover: bool = False
    client_no_context_takeover: bool = False
    server_max_window_bits: int | None = None
    client_max_window_bits: int | Literal[True] | None = None

    def build(self) -> list[ExtensionParameter]:
        """Build the parameters for the header field."""
        built: list[ExtensionParameter] = []
        for name, value in self._asdict().items():
            if value is True:
                built.append((name, None))
            elif value:
                built.append((name, str(value)))
        return built


def _parse(params: Sequence[ExtensionParameter], *, is_offer: bool) -> _Parameters:
    """Read parameters; in an offer ``client_max_window_bits`` may be without a value."""
    found: dict[str, Any] = {}
    for name, value in params:
        if name not in _Parameters._fields:
            raise InvalidParameterName(name)
        if name in found:
            raise DuplicateParameter(name)
        if name.endswith("_no_context_takeover"):
            if value is not None:
                raise InvalidParameterValue(name, value)
            found[name] = True
        elif value is None and is_offer and name == "client_max_window_bits":
            found[name] = True
        elif value in _BITS:
            found[name] = _BITS[value]
        else:
            raise InvalidParameterValue(name, value)
    return _Parameters(**found)


def _check_bits(name: str, bits: int | None, lowest: int) -> None:
    if bits is not None and not lowest <= bits <= 15:
        raise ValueError(f"{name} must be between {lowest} and 15")


class ClientPerMessageDeflateFactory(ClientExtensionFactory):
    """Negotiates on the client's side.

    Args:
        server_no_context_takeover: ask the server to compress each message on its own.
        client_no_context_takeover: announce that this side does so.
        server_max_window_bits: ask for a window of at most 8 to 15 bits.
        client_max_window_bits: this side's window of at most 9 to 15 bits; True to leave it to the
            server, None not to let it ask.
        compress_settings: further arguments of `zlib.compressobj`, without ``wbits``.

    Raises:
        ValueError: if a window is out of range, or ``wbits`` is among the settings.
    """

    name = _NAME

    def __init__(
        self,
        server_no_context_takeover: bool = False,
        client_no_context_takeover: bool = False,
        server_max_window_bits: int | None = None,
        client_max_window_bits: int | Literal[True] | None = True,
        compress_settings: dict[str, Any] | None = None,
    ) -> None:
        _check_bits("server_max_window_bits", server_max_window_bits, 8)
        if client_max_window_bits is not True:
            _check_bits("client_max_window_bits", client_max_window_bits, 9)
        if compress_settings is not None and "wbits" in compress_settings:
            raise ValueError(
                "compress_settings must not include wbits, set client_max_window_bits instead"
            )
        self.server_no_context_takeover = server_no_context_takeover
        self.client_no_context_takeover = client_no_context_takeover
        self.server_max_window_bits = server_max_window_bits
        self.client_max_window_bits = client_max_window_bits
        self.compress_settings = compress_settings

    def get_request_params(self) -> Sequence[ExtensionParameter]:
        """Return the parameters to offer."""
        return _Parameters(
            self.server_no_context_takeover,
            self.client_no_context_takeover,
            self.server_max_window_bits,
            self.client_max_window_bits,
        ).build()

    def process_response_params(
        self, params: Sequence[ExtensionParameter], accepted_extensions: Sequence[Extension]
    ) -> PerMessageDeflate:
        """Accept the parameters of the server's response.

        Raises:
            NegotiationError: if they do not match the offer.
        """
        if any(other.name == self.name for other in accepted_extensions):
            raise NegotiationError(f"received duplicate {self.name}")
        agreed = _parse(params, is_offer=False)
        if self.server_no_context_takeover and not agreed.server_no_context_takeover:
            raise NegotiationError("expected server_no_context_takeover")
        return PerMessageDeflate(
            agreed.server_no_context_takeover,
            self.client_no_context_takeover or agreed.client_no_context_takeover,
            self._server_bits(agreed.server_max_window_bits),
            self._client_bits(agreed.client_max_window_bits),
            self.compress_settings,
        )

    def _server_bits(self, agreed: int | None) -> int:
        asked = self.server_max_window_bits
        if asked is not None:
            if agreed is None:
                raise NegotiationError("expected server_max_window_bits")
            if agreed > asked:
                raise NegotiationError("unsupported server_max_window_bits")
        return agreed or 15

    def _client_bits(self, agreed: int | None) -> int:
        offered = self.client_max_window_bits
        if agreed is None:
            return 15 if offered is True else offered or 15
        if offered is None:
            raise NegotiationError("unexpected client_max_window_bits")
        if agreed == 8:
            raise NegotiationError("unsupported client_max_window_bits = 8, use 9")
        if offered is not True and agreed > offered:
            raise NegotiationError("unsupported client_max_window_bits")
        return agreed


class ServerPerMessageDeflateFactory(ServerExtensionFactory):
    """Negotiates on the server's side.

    Args:
        server_no_context_takeover: compress each message on its own.
        client_no_context_takeover: ask the client to do so.
        server_max_window_bits: this side's window of at most 9 to 15 bits.
        client_max_window_bits: request of a client that allows it a window of at most 8 to 15
            bits.
        compress_settings: further arguments of `zlib.compressobj`, without ``wbits``.
        require_client_max_window_bits: refuse compression if the client does not allow it.

    Raises:
        ValueError: if a window is out of range, ``wbits`` is among the settings, or a window is
            required that is not given.
    """

    name = _NAME

    def __init__(
        self,
        server_no_context_takeover: bool = False,
        client_no_context_takeover: bool = False,
        server_max_window_bits: int | None = None,
        client_max_window_bits: int | None = None,
        compress_settings: dict[str, Any] | None = None,
        require_client_max_window_bits: bool = False,
    ) -> None:
        _check_bits("server_max_window_bits", server_max_window_bits, 9)
        _check_bits("client_max_window_bits", client_max_window_bits, 8)
        if compress_settings is not None and "wbits" in compress_settings:
            raise ValueError(
                "compress_settings must not include wbits, set server_max_window_bits instead"
            )
        if require_client_max_window_bits and client_max_window_bits is None:
            raise ValueError(
                "require_client_max_window_bits is enabled, "
                "but client_max_window_bits isn't configured"
            )
        self.server_no_context_takeover = server_no_context_takeover
        self.client_no_context_takeover = client_no_context_takeover
        self.server_max_window_bits = server_max_window_bits
        self.client_max_window_bits = client_max_window_bits
        self.compress_settings = compress_settings
        self.require_client_max_window_bits = require_client_max_window_bits

    def process_request_params(
        self, params: Sequence[ExtensionParameter], accepted_extensions: Sequence[Extension]
    ) -> tuple[list[ExtensionParameter], PerMessageDeflate]:
        """Accept or refuse the parameters of the client's offer.

        Raises:
            NegotiationError: if the offer is malformed, asks for what zlib cannot do, or comes
                after another one that was accepted.
        """
        if any(other.name == self.name for other in accepted_extensions):
            raise NegotiationError(f"skipped duplicate {self.name}")
        offer = _parse(params, is_offer=True)
        answer = _Parameters(
            self.server_no_context_takeover or offer.server_no_context_takeover,
            self.client_no_context_takeover or offer.client_no_context_takeover,
            self._server_bits(offer.server_max_window_bits),
            self._client_bits(offer.client_max_window_bits),
        )
        extension = PerMessageDeflate(
            answer.client_no_context_takeover,
            answer.server_no_context_takeover,
            answer.client_max_window_bits or 15,
            answer.server_max_window_bits or 15,
            self.compress_settings,
        )
        return answer.build(), extension

    def _server_bits(self, offered: int | None) -> int | None:
        if offered == 8:
            raise NegotiationError("unsupported server_max_window_bits = 8, use 9")
        given = [bits for bits in (offered, self.server_max_window_bits) if bits is not None]
        return min(given) if given else None

    def _client_bits(self, offered: int | Literal[True] | None) -> int | None:
        ours = self.client_max_window_bits
        if offered is None:
            if self.require_client_max_window_bits:
                raise NegotiationError("required client_max_window_bits")
            return None
        if offered is True:
            return ours
        return offered if ours is None else min(offered, ours)


def enable_client_permessage_deflate(
    extensions: Sequence[ClientExtensionFactory] | None,
) -> Sequence[ClientExtensionFactory]:
    """Add compression with the default settings, unless it is there.

    Args:
        extensions: the factories of a client, or None.
    """
    return _with(
        extensions or (), ClientPerMessageDeflateFactory(compress_settings={"memLevel": 5})
    )


def enable_server_permessage_deflate(
    extensions: Sequence[ServerExtensionFactory] | None,
) -> Sequence[ServerExtensionFactory]:
    """Add compression with the default settings, unless it is there.

    Args:
        extensions: the factories of a server, or None.
    """
    factory = ServerPerMessageDeflateFactory(
        server_max_window_bits=12, client_max_window_bits=12, compress_settings={"memLevel": 5}
    )
    return _with(extensions or (), factory)


def _with(extensions: Sequence[Any], factory: Any) -> Sequence[Any]:
    if any(other.name == factory.name for other in extensions):
        return extensions
    return [*extensions, factory]
