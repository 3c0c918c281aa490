// What the parts of the client share.
#pragma once
#include <openssl/ssl.h>

#define USER "User-Agent: Mozilla/5.0 (X11; Linux x86_64) load\r\nAccept-Language: en\r\nAccept-Encoding: gzip\r\n" \
    "Cookie: a=0123456789abcdef; b=0123456789abcdef0123456789abcdef\r\n"
#define OF_A_PAGE "Sec-Fetch-Dest: empty\r\nSec-Fetch-Mode: cors\r\nSec-Fetch-Site: same-origin\r\nAccept: */*\r\n"
#define A_PAGE "Sec-Fetch-Dest: document\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Site: none\r\nSec-Fetch-User: ?1\r\n" \
    "Accept: text/html\r\n"
#define PAGE "/page.html"

typedef struct {
    int number;
    unsigned seed;
    long requests, opened, errors, latencies;
    double bytes;
    float *latency; // seconds
    char issuer[64]; // of the certificate that was shown first
    char problem[96]; // what went wrong last
} Worker;

typedef struct {
    int fd; // -1: not open
    SSL *ssl;
} Tunnel;

extern const char *host, *mode, *path, *limited;
extern int port, site, connections, people, streams, visits, pages;
extern double seconds, pause_ms, lunch, begun, until;

// client.c
double now(void); // seconds
int failed(Worker *w, const char *format, ...) __attribute__((format(printf, 2, 3))); // counts it; returns -1
void note(Worker *w, double since); // one more answer, asked for at `since`

// tunnel.c: 0, or -1 when it failed, which is counted
void prepare_tls(void);
int open_tunnel(Worker *w, Tunnel *t, const char *name, int person);
void close_tunnel(Tunnel *t);
int request(Worker *w, Tunnel *t, const char *name, int page); // one answer over HTTP/1.1; `page`: somebody opens it

// http2.c: until `until`
void *http2(void *worker);
