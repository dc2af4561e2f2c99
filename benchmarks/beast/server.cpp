/*
 * The server. Contract: server.hpp.
 * A session is kept alive by its pending operations, as in Beast's examples.
 */
#include "server.hpp"

#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

#include "dialogue.h"
#include "stream.hpp"

namespace {

using Message = std::shared_ptr<const std::string>;

template <class Stream> class Session;

/* The state shared by all sessions. */
template <class Stream> struct Shared {
    const options &asked;
    ssl::context &tls;
    std::string message; /* the message of a source */
    std::unordered_set<Session<Stream> *> sessions;
};

template <class Stream> class Session : public std::enable_shared_from_this<Session<Stream>> {
  public:
    Session(Socket &&socket, Shared<Stream> &shared)
        : shared_(shared), stream_(make_stream<Stream>(std::move(socket), shared.tls)) {
        configure(stream_);
    }

    ~Session() {
        shared_.sessions.erase(this);
    }

    void start() {
        secure(stream_, ssl::stream_base::server, then(&Session::on_secured));
    }

    /* Send a message after the waiting ones. */
    void send(const Message &message) {
        waiting_.push_back(message);
        if (waiting_.size() == 1) {
            send_next();
        }
    }

  private:
    template <class Method> auto then(Method method) {
        return beast::bind_front_handler(method, this->shared_from_this());
    }

    void on_secured(error_code error) {
        if (!error) {
            stream_.async_accept(then(&Session::on_accepted));
        }
    }

    void on_accepted(error_code error) {
        if (!error) {
            shared_.sessions.insert(this);
            read();
        }
    }

    void read() {
        stream_.async_read(received_, then(&Session::on_read));
    }

    /* An error ends the connection: the session is freed with its last operation. */
    void on_read(error_code error, std::size_t) {
        if (error) {
            return;
        }
        switch (shared_.asked.task) {
        case TASK_ECHO:
            stream_.async_write(received_.data(), then(&Session::on_echoed));
            return;
        case TASK_SOURCE:
            flood();
            break;
        case TASK_BROADCAST:
            broadcast();
            break;
        default:
            break;
        }
        received_.clear();
        read();
    }

    void on_echoed(error_code error, std::size_t) {
        if (!error) {
            received_.clear();
            read();
        }
    }

    void flood() {
        stream_.async_write(net::buffer(shared_.message), then(&Session::on_flooded));
    }

    void on_flooded(error_code error, std::size_t) {
        if (!error) {
            flood();
        }
    }

    void broadcast() {
        auto message =
            std::make_shared<const std::string>(beast::buffers_to_string(received_.data()));
        for (Session *session : shared_.sessions) {
            session->send(message);
        }
    }

    void send_next() {
        stream_.async_write(net::buffer(*waiting_.front()), then(&Session::on_sent));
    }

    void on_sent(error_code error, std::size_t) {
        waiting_.erase(waiting_.begin());
        if (!error && !waiting_.empty()) {
            send_next();
        }
    }

    Shared<Stream> &shared_;
    Stream stream_;
    beast::flat_buffer received_;
    std::vector<Message> waiting_; /* the first one is being written */
};

template <class Stream> class Server {
  public:
    Server(net::io_context &loop, const options &asked, ssl::context &tls)
        : shared_{asked, tls, std::string(asked.size, '\0'), {}}, acceptor_(loop) {
        const tcp::endpoint any_port(net::ip::address_v4::loopback(), 0);
        acceptor_.open(any_port.protocol());
        acceptor_.bind(any_port);
        acceptor_.listen(1024);
        accept();
    }

    std::uint16_t port() const {
        return acceptor_.local_endpoint().port();
    }

  private:
    void accept() {
        acceptor_.async_accept([this](error_code error, Socket socket) {
            if (!error) {
                std::make_shared<Session<Stream>>(std::move(socket), shared_)->start();
            }
            accept();
        });
    }

    Shared<Stream> shared_;
    net::basic_socket_acceptor<tcp, Executor> acceptor_;
};

template <class Stream>
void serve_until_end(net::io_context &loop, const options &asked, ssl::context &tls) {
    Server<Stream> server(loop, asked, tls);
    net::posix::stream_descriptor input(loop, dup(STDIN_FILENO));
    input.async_wait(input.wait_read, [](error_code) { std::exit(0); });
    dialogue_say_port(server.port());
    loop.run();
}

} // namespace

void serve(const options *o) {
    net::io_context loop{one_thread};
    ssl::context tls(ssl::context::tls_server);
    if (o->tls) {
        tls.use_certificate_chain_file(o->certificate);
        tls.use_private_key_file(o->certificate, ssl::context::pem);
        serve_until_end<Secure>(loop, *o, tls);
    } else {
        serve_until_end<Plain>(loop, *o, tls);
    }
}
