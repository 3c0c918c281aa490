// HTTP/2 in a tunnel: fixed header blocks without compression, as many streams as are wanted, and frames told apart by
// their type.
#define _GNU_SOURCE
#include "client.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { DATA = 0, HEADERS = 1, RST_STREAM = 3, SETTINGS = 4, PING = 6, GOAWAY = 7, END_STREAM = 1, ACK = 1, END_HEADERS = 4 };

static unsigned char *frame_head(unsigned char *at, unsigned size, int type, int flags, unsigned stream) {
    unsigned char head[9] = {(unsigned char)(size >> 16), (unsigned char)(size >> 8), (unsigned char)size,
        (unsigned char)type, (unsigned char)flags, (unsigned char)(stream >> 24), (unsigned char)(stream >> 16),
        (unsigned char)(stream >> 8), (unsigned char)stream};
    memcpy(at, head, 9);
    return at + 9;
}

static unsigned char *text_of(unsigned char *at, const char *text) { // shorter than 127 bytes, not Huffman-coded
    *at++ = (unsigned char)strlen(text);
    memcpy(at, text, strlen(text));
    return at + strlen(text);
}

static unsigned header_block(unsigned char *block) {
    static const char *fields[][2] = {{"sec-fetch-dest", "empty"}, {"sec-fetch-mode", "cors"}, {"sec-fetch-site", "same-origin"},
        {"user-agent", "Mozilla/5.0 (X11; Linux x86_64) load"}, {"accept", "*/*"}, {"accept-language", "en"},
        {"accept-encoding", "gzip"}, {"cookie", "a=0123456789abcdef; b=0123456789abcdef0123456789abcdef"}};
    char authority[110];
    unsigned char *at = block;
    *at++ = 0x82; // :method GET
    *at++ = 0x87; // :scheme https
    snprintf(authority, sizeof authority, "%s:%d", host, site);
    *at++ = 0x01; // :authority
    at = text_of(at, authority);
    *at++ = 0x04; // :path
    at = text_of(at, path);
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        *at++ = 0x00;
        at = text_of(text_of(at, fields[i][0]), fields[i][1]);
    }
    return (unsigned)(at - block);
}

static int read_all(SSL *ssl, unsigned char *to, unsigned size) {
    for (unsigned got = 0; got < size;) {
        int more = SSL_read(ssl, to + got, (int)(size - got));
        if (more <= 0) return -1;
        got += (unsigned)more;
    }
    return 0;
}

static int is_ok(const unsigned char *block, unsigned size, int flags) { // :status 200 is one byte of the static table
    unsigned at = (flags & 8 ? 1 : 0) + (flags & 0x20 ? 5 : 0);
    while (at < size && (block[at] & 0xE0) == 0x20) at++;
    return at < size && block[at] == 0x88;
}

static int start_stream(SSL *ssl, unsigned stream, const unsigned char *block, unsigned size) {
    unsigned char frame[2048];
    memcpy(frame_head(frame, size, HEADERS, END_HEADERS | END_STREAM, stream), block, size);
    return SSL_write(ssl, frame, (int)size + 9) > 0 ? 0 : -1;
}

static int begin_h2(SSL *ssl) {
    static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    // No table of header fields, no push, windows that never fill.
    static const unsigned char settings[] = {0, 1, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 4, 0x7F, 0xFF, 0xFF, 0xFF};
    static const unsigned char window[] = {0x7F, 0xFF, 0, 0};
    unsigned char text[256], *at = text;
    memcpy(at, preface, 24);
    at = frame_head(at + 24, sizeof settings, SETTINGS, 0, 0);
    memcpy(at, settings, sizeof settings);
    at = frame_head(at + sizeof settings, 4, 8, 0, 0);
    memcpy(at, window, 4);
    return SSL_write(ssl, text, (int)(at + 4 - text)) > 0 ? 0 : -1;
}

static int one_frame(Worker *w, SSL *ssl, double *sent, const unsigned char *block, unsigned block_size, unsigned *next, int *running) {
    unsigned char head[9], payload[65536], answer[32];
    if (read_all(ssl, head, 9)) return failed(w, "HTTP/2: the connection ended");
    unsigned size = (unsigned)head[0] << 16 | (unsigned)head[1] << 8 | head[2];
    unsigned stream = ((unsigned)head[5] & 0x7F) << 24 | (unsigned)head[6] << 16 | (unsigned)head[7] << 8 | head[8];
    int type = head[3], flags = head[4];
    if (size > sizeof payload || read_all(ssl, payload, size)) return failed(w, "HTTP/2: the connection ended in a frame");
    w->bytes += size;
    if (type == GOAWAY) return failed(w, "GOAWAY, error %u", size > 7 ? payload[7] : 0);
    if (type == RST_STREAM) return failed(w, "RST_STREAM, error %u", size > 3 ? payload[3] : 0);
    if (type == HEADERS && !is_ok(payload, size, flags)) return failed(w, "HTTP/2: an answer without status 200: %02x %.4s", payload[0], payload + 2);
    if ((type == SETTINGS || type == PING) && !(flags & ACK)) {
        unsigned echoed = type == PING ? size : 0;
        memcpy(frame_head(answer, echoed, type, ACK, 0), payload, echoed);
        if (SSL_write(ssl, answer, (int)echoed + 9) <= 0) return failed(w, "HTTP/2: nothing can be sent");
    }
    if ((type == DATA || type == HEADERS) && flags & END_STREAM) {
        note(w, sent[stream / 2 % 128]);
        --*running;
        if (now() < until) {
            sent[*next / 2 % 128] = now();
            if (start_stream(ssl, *next, block, block_size)) return failed(w, "HTTP/2: no request can be sent");
            *next += 2;
            ++*running;
        }
    }
    return 0;
}

void *http2(void *argument) {
    Worker *w = argument;
    unsigned char block[1024];
    unsigned size = header_block(block);
    double sent[128];
    Tunnel t;
    while (now() < until) {
        if (open_tunnel(w, &t, host, w->number % people)) {
            usleep(20000);
            continue;
        }
        unsigned next = 1;
        int running = 0, ended = begin_h2(t.ssl);
        for (; running < streams && !ended; running++, next += 2) {
            sent[next / 2 % 128] = now();
            ended = start_stream(t.ssl, next, block, size);
        }
        if (ended) failed(w, "HTTP/2: the first requests cannot be sent");
        while (running && !ended) ended = one_frame(w, t.ssl, sent, block, size, &next, &running);
        close_tunnel(&t);
    }
    return NULL;
}
