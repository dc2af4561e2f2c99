/* The WebSocket streams of servers and clients, plain and with TLS, and their options.
 *
 * Everything optional is left out, as the documentation of Asio and Beast, and Beast's authors,
 * recommend for speed: locks; the type-erased executor; timeouts and rate limits, which
 * beast::tcp_stream would add to a socket; and compression.
 */
#pragma once

#include <boost/asio.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/ssl.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/beast/websocket/ssl.hpp>

#include <type_traits>
#include <utility>

namespace beast = boost::beast;
namespace net = boost::asio;
namespace ssl = net::ssl;
namespace websocket = beast::websocket;
using beast::error_code;
using net::ip::tcp;

using Executor = net::io_context::executor_type;
using Socket = net::basic_stream_socket<tcp, Executor>;
using Plain = websocket::stream<Socket, false>;
using Secure = websocket::stream<beast::ssl_stream<Socket>, false>;

/* For an io_context: no locks are needed, as there is no other thread. */
constexpr int one_thread = BOOST_ASIO_CONCURRENCY_HINT_UNSAFE;

template <class Stream> constexpr bool is_secure = std::is_same_v<Stream, Secure>;

/* Create a stream on a socket, which does not have to be connected yet. */
template <class Stream> Stream make_stream(Socket &&socket, ssl::context &tls) {
    if constexpr (is_secure<Stream>) {
        return Stream(std::move(socket), tls);
    } else {
        return Stream(std::move(socket));
    }
}

/* Set the options of a stream whose socket is connected. */
template <class Stream> void configure(Stream &stream) {
    beast::get_lowest_layer(stream).set_option(tcp::no_delay(true));
    stream.binary(true);
    stream.auto_fragment(false); /* a message is a frame, in all programs */
    stream.read_message_max(64 << 20);
    stream.write_buffer_bytes(64 << 10); /* in which clients mask: fewer, larger writes */
}

/* Perform the TLS handshake, if there is TLS, and call `next` with an error_code. */
template <class Stream, class Next>
void secure(Stream &stream, ssl::stream_base::handshake_type side, Next &&next) {
    if constexpr (is_secure<Stream>) {
        stream.next_layer().async_handshake(side, std::forward<Next>(next));
    } else {
        next(error_code());
    }
}
