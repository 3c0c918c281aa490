// Tunnels through the proxy, TLS in them, and HTTP/1.1.
#define _GNU_SOURCE
#include "client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_SECONDS 30 // a silent proxy is an error after this long

static SSL_CTX *plain_context, *h2_context;

static SSL_CTX *context(const char *protocol) {
    SSL_CTX *made = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_verify(made, SSL_VERIFY_NONE, NULL); // whose certificate it was is reported, and judged by the caller
    SSL_CTX_set_session_cache_mode(made, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(made, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_alpn_protos(made, (const unsigned char *)protocol, (unsigned)strlen(protocol));
    return made;
}

void prepare_tls(void) {
    plain_context = context("\x08http/1.1");
    h2_context = context("\x02h2");
}

static int dial(int person) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
    struct timeval patience = {READ_SECONDS, 0};
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    struct sockaddr_in here = {.sin_family = AF_INET}, there = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    here.sin_addr.s_addr = htonl(0x7F400001u + (unsigned)person);
    there.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(fd, (void *)&here, sizeof here) || connect(fd, (void *)&there, sizeof there)) {
        close(fd);
        return -1;
    }
    return fd;
}

static int ask_for_tunnel(Worker *w, int fd, const char *name) {
    char text[4096];
    int size = snprintf(text, sizeof text, "CONNECT %s:%d HTTP/1.1\r\nHost: %s:%d\r\nProxy-Connection: keep-alive\r\n"
        "User-Agent: Mozilla/5.0 (X11; Linux x86_64) load\r\n\r\n", name, site, name, site);
    if (write(fd, text, (size_t)size) != size) return failed(w, "CONNECT: %s", strerror(errno));
    for (size_t got = 0; got < sizeof text - 1;) {
        ssize_t more = read(fd, text + got, sizeof text - 1 - got);
        if (more <= 0) return failed(w, "no answer to CONNECT: %s", more ? strerror(errno) : "closed");
        got += (size_t)more;
        text[got] = 0;
        if (strstr(text, "\r\n\r\n")) return strncmp(text + 8, " 200", 4) ? failed(w, "CONNECT: %.60s", text) : 0;
    }
    return failed(w, "the answer to CONNECT does not end");
}

static void remember_issuer(Worker *w, SSL *ssl) {
    X509 *certificate = SSL_get_peer_certificate(ssl);
    if (!certificate) return;
    X509_NAME_get_text_by_NID(X509_get_issuer_name(certificate), NID_commonName, w->issuer, sizeof w->issuer);
    X509_free(certificate);
}

int open_tunnel(Worker *w, Tunnel *t, const char *name, int person) {
    int wants_h2 = !strcmp(mode, "h2");
    t->ssl = NULL;
    t->fd = dial(person);
    if (t->fd < 0) return failed(w, "no connection: %s", strerror(errno));
    if (ask_for_tunnel(w, t->fd, name)) goto failed;
    t->ssl = SSL_new(wants_h2 ? h2_context : plain_context);
    SSL_set_fd(t->ssl, t->fd);
    SSL_set_tlsext_host_name(t->ssl, name);
    if (SSL_connect(t->ssl) != 1) {
        failed(w, "TLS: %s", ERR_reason_error_string(ERR_peek_error()));
        goto failed;
    }
    if (wants_h2) {
        const unsigned char *chosen;
        unsigned length;
        SSL_get0_alpn_selected(t->ssl, &chosen, &length);
        if (length != 2) {
            failed(w, "no HTTP/2 was offered");
            goto failed;
        }
    }
    if (!w->issuer[0]) remember_issuer(w, t->ssl);
    w->opened++;
    return 0;
failed:
    SSL_free(t->ssl);
    close(t->fd);
    t->fd = -1;
    t->ssl = NULL;
    ERR_clear_error();
    return -1;
}

void close_tunnel(Tunnel *t) {
    if (t->ssl) {
        SSL_shutdown(t->ssl);
        SSL_free(t->ssl);
    }
    if (t->fd >= 0) close(t->fd);
    t->fd = -1;
    t->ssl = NULL;
    ERR_clear_error();
}

int request(Worker *w, Tunnel *t, const char *name, int page) {
    static __thread char text[65536];
    int size = page
        ? snprintf(text, sizeof text, "GET " PAGE " HTTP/1.1\r\nHost: %s:%d\r\n" USER A_PAGE "\r\n", name, site)
        : snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: %s:%d\r\nReferer: https://%s/\r\n" USER OF_A_PAGE "\r\n",
            path, name, site, name);
    double sent = now();
    if (SSL_write(t->ssl, text, size) <= 0) return failed(w, "a request cannot be sent");
    char *body = NULL;
    int got = 0;
    while (!body) {
        int more = SSL_read(t->ssl, text + got, (int)sizeof text - 1 - got);
        if (more <= 0) return failed(w, "no answer after %.1f s: %s", now() - sent, more ? strerror(errno) : "closed");
        got += more;
        text[got] = 0;
        body = strstr(text, "\r\n\r\n");
    }
    char *length = strcasestr(text, "\r\ncontent-length:");
    if (strncmp(text + 8, " 200", 4) || !length || length > body) return failed(w, "answer: %.60s", text);
    long left = atol(length + 17) - (got - (body + 4 - text));
    w->bytes += got;
    while (left > 0) {
        int more = SSL_read(t->ssl, text, (int)sizeof text);
        if (more <= 0) return failed(w, "the connection ended in an answer");
        left -= more;
        w->bytes += more;
    }
    return 0;
}
