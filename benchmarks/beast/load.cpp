/*
 * The load generator. Contract: load.hpp.
 * Each client reads one message at a time and, independently, writes one at a time: Beast allows
 * only one pending write. Any error before the end of a job ends the program.
 */
#include "load.hpp"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "stream.hpp"

namespace {

/* A job, as the clients see it. */
struct Job {
    net::io_context loop{one_thread};
    ssl::context tls{ssl::context::tls_client};
    options asked{};
    std::string message;
    std::uint64_t count = 0;
    std::uint32_t opened = 0;
    bool measuring = false; /* the time is running */
    bool closing = false;   /* connections are aborted */

    /* Whether a client may continue. */
    bool goes_on(error_code error) const {
        if (error && !closing) {
            std::fprintf(stderr, "a connection was lost: %s\n", error.message().c_str());
            std::exit(1);
        }
        return !closing;
    }
};

template <class Stream> class Client : public std::enable_shared_from_this<Client<Stream>> {
  public:
    explicit Client(Job &job) : job_(job) {
    }

    void start() {
        stream_.emplace(make_stream<Stream>(Socket(job_.loop), job_.tls));
        const tcp::endpoint server(net::ip::address_v4::loopback(), job_.asked.port);
        beast::get_lowest_layer(*stream_).async_connect(server, then(&Client::on_connected));
    }

    /* Start the measured part. */
    void begin() {
        if (job_.asked.task == TASK_SOURCE) {
            flood();
            return;
        }
        for (std::uint32_t i = 0; i < (is_echo() ? job_.asked.in_flight : 1); i++) {
            send();
        }
        read();
    }

    void cut_off() {
        error_code ignored;
        beast::get_lowest_layer(*stream_).close(ignored);
    }

  private:
    template <class Method> auto then(Method method) {
        return beast::bind_front_handler(method, this->shared_from_this());
    }

    bool is_echo() const {
        return job_.asked.task == TASK_ECHO;
    }

    /* -- opening and closing -- */

    void on_connected(error_code error) {
        if (!job_.goes_on(error)) {
            return;
        }
        configure(*stream_);
        if constexpr (is_secure<Stream>) {
            stream_->next_layer().set_verify_callback(ssl::host_name_verification("127.0.0.1"));
        }
        secure(*stream_, ssl::stream_base::client, then(&Client::on_secured));
    }

    void on_secured(error_code error) {
        if (job_.goes_on(error)) {
            stream_->async_handshake("localhost", "/", then(&Client::on_opened));
        }
    }

    void on_opened(error_code error) {
        if (job_.goes_on(error)) {
            job_.opened++;
            if (job_.asked.task == TASK_HANDSHAKE) {
                close();
            }
        }
    }

    void close() {
        stream_->async_close(websocket::close_code::normal, then(&Client::on_closed));
    }

    /* The server has answered, so it has received everything. */
    void on_closed(error_code error) {
        if (job_.goes_on(error) && job_.asked.task == TASK_HANDSHAKE && job_.measuring) {
            job_.count++;
            start();
        }
    }

    /* -- messages -- */

    void read() {
        stream_->async_read(received_, then(&Client::on_read));
    }

    void on_read(error_code error, std::size_t) {
        if (!job_.goes_on(error)) {
            return;
        }
        received_.clear();
        job_.count++;
        if (is_echo()) {
            send();
        }
        read();
    }

    void send() {
        if (owed_++ == 0) {
            write();
        }
    }

    void write() {
        stream_->async_write(net::buffer(job_.message), then(&Client::on_written));
    }

    void on_written(error_code error, std::size_t) {
        if (job_.goes_on(error) && --owed_ > 0) {
            write();
        }
    }

    void flood() {
        stream_->async_write(net::buffer(job_.message), then(&Client::on_flooded));
    }

    void on_flooded(error_code error, std::size_t) {
        if (!job_.goes_on(error)) {
            return;
        }
        job_.count++;
        if (job_.measuring) {
            flood();
        } else {
            close();
        }
    }

    Job &job_;
    std::optional<Stream> stream_; /* a new one for each connection */
    beast::flat_buffer received_;
    std::uint32_t owed_ = 0; /* messages to be sent, including the one being written */
};

/* A program's load generator, with TLS or without. */
struct Load {
    virtual ~Load() = default;
    virtual void open() = 0;
    virtual std::uint64_t run() = 0;
    virtual void close() = 0;

    Job job;
};

template <class Stream> struct LoadOn : Load {
    void open() override {
        job.opened = 0;
        job.loop.restart();
        for (std::uint32_t i = 0; i < job.asked.connections; i++) {
            clients.push_back(std::make_shared<Client<Stream>>(job));
            if (job.asked.task != TASK_HANDSHAKE) {
                clients.back()->start();
            }
        }
        while (job.asked.task != TASK_HANDSHAKE && job.opened < job.asked.connections) {
            job.loop.run_one();
        }
    }

    std::uint64_t run() override {
        using std::chrono::duration_cast;
        using Clock = std::chrono::steady_clock;
        const std::chrono::duration<double> seconds(job.asked.seconds);
        net::steady_timer end(job.loop, duration_cast<Clock::duration>(seconds));
        end.async_wait([this](error_code) {
            job.measuring = false;
            if (job.asked.task != TASK_SOURCE) { /* a source ends when all has arrived */
                job.loop.stop();
            }
        });
        job.count = 0;
        job.measuring = true;
        for (auto &client : clients) {
            job.asked.task == TASK_HANDSHAKE ? client->start() : client->begin();
        }
        job.loop.restart();
        job.loop.run();
        return job.count;
    }

    void close() override {
        job.closing = true;
        for (auto &client : clients) {
            client->cut_off();
        }
        clients.clear();
        job.loop.restart();
        job.loop.run();
        job.closing = false;
    }

    std::vector<std::shared_ptr<Client<Stream>>> clients;
};

std::unique_ptr<Load> load;

} // namespace

void load_prepare(const options *o) {
    if (o->tls) {
        load = std::make_unique<LoadOn<Secure>>();
        load->job.tls.load_verify_file(o->certificate);
        load->job.tls.set_verify_mode(ssl::verify_peer);
    } else {
        load = std::make_unique<LoadOn<Plain>>();
    }
    load->job.message.assign(o->size, '\0');
}

void load_open(const options *o) {
    load->job.asked = *o;
    load->open();
}

std::uint64_t load_run() {
    return load->run();
}

void load_close() {
    load->close();
}
