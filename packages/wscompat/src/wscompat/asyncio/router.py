"""`route`: a server whose handlers are chosen by the path of the request, with werkzeug's URL maps.

The map decides; this file queries it before a connection is accepted, and passes its result to the
handler. werkzeug is imported when there is a request to route, never before.
"""

from __future__ import annotations

import http
import importlib.util
import inspect
import ssl as ssl_module
import urllib.parse
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

from ..http11 import Request, Response
from ..unix import UnixPath
from .server import Server, ServerConnection, serve
from .server_handshake import ProcessRequest

if TYPE_CHECKING:
    from werkzeug.routing import Map

__all__ = ["Router", "route", "unix_route"]


class Router:
    """Chooses handlers by a URL map; derive from it, for `route`, to change how.

    Args:
        url_map: the rules, whose endpoints are the handlers. They are turned into rules for
            WebSockets.
        server_name: the server's name and port as clients see it; the request's ``Host`` if None.
        url_scheme: of the URLs that clients are redirected to: ``ws`` or ``wss``.
    """

    def __init__(
        self, url_map: Map, server_name: str | None = None, url_scheme: str = "ws"
    ) -> None:
        self.url_map = url_map
        self.server_name = server_name
        self.url_scheme = url_scheme
        for rule in url_map.iter_rules():
            rule.websocket = True

    def route_request(self, connection: ServerConnection, request: Request) -> Response | None:
        """Find the handler of a request; it is `serve`'s ``process_request``.

        Args:
            connection: is given the attributes ``handler`` and ``handler_kwargs``.
            request: the request.

        Returns:
            None if there is a handler, or the answer to send instead.
        """
        from werkzeug.exceptions import NotFound
        from werkzeug.routing import RequestRedirect

        target = urllib.parse.urlsplit(request.path)
        try:
            server_name = self.get_server_name(connection, request)
        except LookupError:  # an error of the client, not of this program
            return connection.respond(http.HTTPStatus.BAD_REQUEST, "One Host field is needed.\n")
        adapter = self.url_map.bind(
            server_name,
            url_scheme=self.url_scheme,
            path_info=target.path,
            query_args=target.query,
        )
        try:
            found = adapter.match(websocket=True)
        except RequestRedirect as elsewhere:
            return self.redirect(connection, elsewhere.new_url)
        except NotFound:
            return self.not_found(connection)
        connection.handler, connection.handler_kwargs = found
        return None

    def get_server_name(self, connection: ServerConnection, request: Request) -> str:
        """Return the server's name as the client of this request sees it.

        Raises:
            LookupError: if there is no ``server_name``, and not one ``Host`` in the request.
        """
        return request.headers["Host"] if self.server_name is None else self.server_name

    def redirect(self, connection: ServerConnection, url: str) -> Response:
        """Return the response to a request whose rule redirects."""
        response = connection.respond(http.HTTPStatus.FOUND, f"Found at {url}")
        response.headers["Location"] = url
        return response

    def not_found(self, connection: ServerConnection) -> Response:
        """Return the response to a request that no rule matches."""
        return connection.respond(http.HTTPStatus.NOT_FOUND, "Not Found")

    async def handler(self, connection: ServerConnection) -> None:
        """Run the handler that was found, with the arguments that the rule found in the path."""
        await connection.handler(connection, **connection.handler_kwargs)


def route(
    url_map: Map,
    *args: Any,
    server_name: str | None = None,
    ssl: ssl_module.SSLContext | Literal[True] | None = None,
    create_router: Callable[..., Router] | None = None,
    **kwargs: Any,
) -> Server:
    """Serve WebSocket connections, with a handler for each pattern of paths.

    A handler is called with the connection and, as keywords, what its rule takes from the path. The
    attributes ``handler`` and ``handler_kwargs`` of the connection have both. Requests that no rule
    matches are answered with 404, those that a rule redirects with 302.

    Args:
        url_map: a `werkzeug.routing.Map` whose endpoints are handlers. Its rules need not say
            ``websocket=True``.
        *args: as for `serve`, without the handler.
        server_name: the server's name and port as clients see it, for redirects; the request's
            ``Host`` if None.
        ssl: as for `serve`; True behind a proxy that ends TLS, so that redirects lead to ``wss://``.
        create_router: the class of the router, derived from `Router`, or a function that makes one.
        **kwargs: as for `serve`. ``process_request`` is called before the map is queried.

    Raises:
        ImportError: if werkzeug is not installed.
        OSError: if the address cannot be bound.
    """
    _require_werkzeug()
    url_scheme = "ws" if ssl is None else "wss"
    if ssl is not None and ssl is not True:
        kwargs["ssl"] = ssl
    router = (create_router or Router)(url_map, server_name, url_scheme)
    kwargs["process_request"] = _one_after_the_other(
        kwargs.get("process_request"), router.route_request
    )
    return serve(router.handler, *args, **kwargs)


def unix_route(url_map: Map, path: UnixPath | None = None, **kwargs: Any) -> Server:
    """Serve WebSocket connections on a Unix socket, with a handler for each pattern of paths.

    Args:
        url_map: as for `route`.
        path: the socket's path; a socket that was left there is replaced. It is removed when the
            server is closed, unless ``cleanup_socket=False`` is given. None if ``sock`` is given.
        **kwargs: as for `route`.

    Raises:
        OSError: if the path cannot be bound.
        ValueError: if there is neither a path nor a Unix socket, or both.
    """
    return route(url_map, unix=True, path=path, **kwargs)


def _require_werkzeug() -> None:
    if importlib.util.find_spec("werkzeug") is None:
        raise ImportError("route() requires werkzeug: pip install 'wscompat[router]'")


def _one_after_the_other(
    first: ProcessRequest | None,
    then: Callable[[ServerConnection, Request], Response | None],
) -> ProcessRequest:
    """Combine both into one ``process_request``; the second is called if the first returns None."""
    if first is None:
        return then

    async def process_request(connection: ServerConnection, request: Request) -> Response | None:
        response: Any = first(connection, request)
        if inspect.isawaitable(response):
            response = await response
        return then(connection, request) if response is None else response

    return process_request
