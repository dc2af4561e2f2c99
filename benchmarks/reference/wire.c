/*
 * Bytes in and out of one socket. Contract: wire.h.
 */
#define _GNU_SOURCE

#include "wire.h"

#include <errno.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* A size for which malloc() reuses memory; larger blocks are mapped each time. */
#define READ_SIZE 65536

static BIO *encrypted; /* output of TLS; emptied after each use */

static void must(bool good, const char *what) {
    if (!good) {
        fprintf(stderr, "%s\n", what);
        ERR_print_errors_fp(stderr);
        exit(1);
    }
}

SSL_CTX *wire_tls(const char *certificate) {
    bool is_server = certificate != NULL;
    SSL_CTX *context = SSL_CTX_new(is_server ? TLS_server_method() : TLS_client_method());
    must(context, "no TLS");
    if (is_server) {
        must(SSL_CTX_use_certificate_chain_file(context, certificate) == 1 &&
                 SSL_CTX_use_PrivateKey_file(context, certificate, SSL_FILETYPE_PEM) == 1,
             certificate);
    }
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_read_ahead(context, 1);
    SSL_CTX_set_default_read_buffer_len(context, READ_SIZE);
    encrypted = BIO_new(BIO_s_mem());
    must(encrypted, "no memory");
    return context;
}

void wire_open(wire *w, int fd, SSL_CTX *tls, bool is_server) {
    *w = (wire){.fd = fd};
    if (tls) {
        w->ssl = SSL_new(tls);
        must(w->ssl, "no memory");
        BIO_up_ref(encrypted);
        SSL_set_bio(w->ssl, BIO_new_socket(fd, BIO_NOCLOSE), encrypted);
        if (is_server) {
            SSL_set_accept_state(w->ssl);
        } else {
            SSL_set_connect_state(w->ssl);
        }
    }
}

static bool send_bytes(wire *w, const uint8_t *data, size_t size) {
    if (bytes_size(&w->waits) == 0) {
        ssize_t sent = send(w->fd, data, size, MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN && errno != EINTR) {
            return false;
        }
        sent = sent < 0 ? 0 : sent;
        data += sent;
        size -= (size_t)sent;
    }
    if (size) {
        bytes_append(&w->waits, data, size);
    }
    return true;
}

static bool send_encrypted(wire *w) {
    char *data;
    long size = BIO_get_mem_data(encrypted, &data);
    bool good = size <= 0 || send_bytes(w, (uint8_t *)data, (size_t)size);
    (void)BIO_reset(encrypted);
    return good;
}

void wire_close(wire *w) {
    if (w->ssl && !w->broken && SSL_is_init_finished(w->ssl)) {
        SSL_shutdown(w->ssl);
        ERR_clear_error();
        send_encrypted(w);
    }
    SSL_free(w->ssl);
    close(w->fd);
    bytes_free(&w->waits);
}

int wire_handshake(wire *w) {
    int result = SSL_do_handshake(w->ssl);
    int error = SSL_get_error(w->ssl, result);
    ERR_clear_error();
    if (!send_encrypted(w)) {
        return -1;
    }
    return result == 1 ? 1 : error == SSL_ERROR_WANT_READ ? 0 : -1;
}

static ssize_t read_tls(wire *w, uint8_t *data, size_t size) {
    size_t total = 0;
    do {
        int count = SSL_read(w->ssl, data + total, (int)(size - total));
        if (count <= 0) {
            int error = SSL_get_error(w->ssl, count);
            ERR_clear_error();
            (void)BIO_reset(encrypted); /* an alert must not reach another connection */
            w->ended = error != SSL_ERROR_WANT_READ;
            w->broken = w->ended && error != SSL_ERROR_ZERO_RETURN;
            return total || !w->ended ? (ssize_t)total : -1;
        }
        total += (size_t)count;
    } while (total < size && SSL_has_pending(w->ssl));
    return (ssize_t)total;
}

ssize_t wire_read(wire *w, uint8_t *data, size_t size) {
    if (w->ssl) {
        return read_tls(w, data, size);
    }
    ssize_t count = recv(w->fd, data, size, 0);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) {
        return 0;
    }
    return count > 0 ? count : -1;
}

bool wire_holds_more(const wire *w) {
    return w->ssl && SSL_has_pending(w->ssl);
}

bool wire_write(wire *w, const uint8_t *data, size_t size) {
    if (!w->ssl) {
        return send_bytes(w, data, size);
    }
    /* A memory BIO accepts everything at once. */
    if (SSL_write(w->ssl, data, (int)size) != (int)size) {
        ERR_clear_error();
        return false;
    }
    return send_encrypted(w);
}

bool wire_flush(wire *w) {
    bytes *b = &w->waits;
    ssize_t sent = send(w->fd, b->data + b->begin, bytes_size(b), MSG_NOSIGNAL);
    if (sent < 0) {
        return errno == EAGAIN || errno == EINTR;
    }
    b->begin += (size_t)sent;
    if (bytes_size(b) == 0) {
        b->begin = b->end = 0;
        if (b->capacity > READ_SIZE) {
            bytes_free(b);
        }
    }
    return true;
}
