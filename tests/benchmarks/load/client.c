// The load of the benchmarks: clients of a proxy that cost little themselves, so that two cores are enough for all.
//
// Usage: client NAME=VALUE...   One line of JSON on stdout at the end; "open" on stdout before `idle` waits for stdin to end.
//   port=N          of the proxy on loopback      host=NAME  site=PORT   what CONNECT names
//   mode=keep       one connection each, request after request over HTTP/1.1
//        h2         the same over HTTP/2, `streams` at a time
//        new        a connection for each request
//        idle       open `connections` tunnels with one request each, and hold them
//        day        an office: each connection is a person, see `spend_day`
//   connections=N   at once       seconds=X   path=/P       pause=MS  between two requests
//   pages=1         every request opens a page, instead of asking for something in one
//   people=N        people, each with an address of its own: 127.64.0.1 and on
//   limited=NAME lunch=X visits=N                           only `day`
#define _GNU_SOURCE
#include "client.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MOST_LATENCIES 200000
#define HOLDERS 8      // threads that open the tunnels of `idle`
#define KEPT_OPEN 4    // tunnels that a person of `day` has open at a time
#define DAY_REQUESTS 6 // requests in each of them

const char *host = "", *mode = "keep", *path = "/", *limited = "";
int port, site = 443, connections = 4, people = 1, streams = 8, visits = 10, pages;
double seconds = 5, pause_ms, lunch, begun, until;

double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void wait_until(double moment) {
    double left = moment - now();
    if (left > 0) usleep((useconds_t)(left * 1e6));
}

void note(Worker *w, double since) {
    w->requests++;
    if (w->latencies < MOST_LATENCIES) w->latency[w->latencies++] = (float)(now() - since);
}

int failed(Worker *w, const char *format, ...) {
    va_list values;
    va_start(values, format);
    vsnprintf(w->problem, sizeof w->problem, format, values);
    va_end(values);
    for (char *at = w->problem; *at; at++)
        if (*at < ' ' || *at > '~' || *at == '"' || *at == '\\') *at = ' '; // it is shown in JSON
    w->errors++;
    return -1;
}

static void *keep_or_new(void *argument) {
    Worker *w = argument;
    int fresh = !strcmp(mode, "new"), turn = 0;
    Tunnel t;
    while (now() < until) {
        double since = now();
        if (open_tunnel(w, &t, host, (w->number + connections * turn++) % people)) {
            usleep(20000);
            continue;
        }
        do {
            double sent = fresh ? since : now();
            if (request(w, &t, host, pages)) break;
            note(w, sent);
            if (!fresh && pause_ms > 0) wait_until(sent + pause_ms / 1e3);
        } while (!fresh && now() < until);
        close_tunnel(&t);
        if (fresh && pause_ms > 0) wait_until(since + pause_ms / 1e3);
    }
    return NULL;
}

// -- tunnels that are held, and an office's day

static void *hold(void *argument) {
    Worker *w = argument;
    Tunnel t;
    for (int i = w->number; i < connections; i += HOLDERS) {
        if (open_tunnel(w, &t, host, i % people)) continue;
        if (!request(w, &t, host, 0)) w->requests++;
        SSL_free(t.ssl); // the client needs its memory; the descriptor stays open
    }
    return NULL;
}

// `visits` times in the day a person opens a tunnel and a page in it, asks for more until it has
// `DAY_REQUESTS` answers, and leaves it open; the oldest is closed.
// One visit in twenty goes to the limited platform: twice as many at `lunch`, with which the day begins, half as many after it.
static void *spend_day(void *argument) {
    Worker *w = argument;
    Tunnel open[KEPT_OPEN];
    for (int i = 0; i < KEPT_OPEN; i++) open[i] = (Tunnel){-1, NULL};
    for (int visit = 0; visit < visits; visit++) {
        double at = (visit + rand_r(&w->seed) / (RAND_MAX + 1.0)) / visits * seconds;
        double share = at < lunch ? 0.10 : 0.025;
        const char *name = rand_r(&w->seed) / (RAND_MAX + 1.0) < share ? limited : host;
        Tunnel *t = &open[visit % KEPT_OPEN];
        wait_until(begun + at);
        close_tunnel(t);
        if (open_tunnel(w, t, name, w->number)) continue;
        for (int i = 0; i < DAY_REQUESTS; i++) {
            double since = now();
            if (request(w, t, name, i == 0)) break;
            note(w, since);
        }
    }
    wait_until(begun + seconds);
    for (int i = 0; i < KEPT_OPEN; i++) close_tunnel(&open[i]);
    return NULL;
}

// -- all of them

static int by_size(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static void report(Worker *workers, int count) {
    Worker sum = {0};
    long room = 1;
    for (int i = 0; i < count; i++) room += workers[i].latencies;
    float *all = malloc(sizeof *all * (size_t)room);
    for (int i = 0; i < count; i++) {
        Worker *w = &workers[i];
        sum.requests += w->requests;
        sum.opened += w->opened;
        sum.errors += w->errors;
        sum.bytes += w->bytes;
        if (w->problem[0]) memcpy(sum.problem, w->problem, sizeof sum.problem);
        if (w->issuer[0]) memcpy(sum.issuer, w->issuer, sizeof sum.issuer);
        memcpy(all + sum.latencies, w->latency, sizeof *all * (size_t)w->latencies);
        sum.latencies += w->latencies;
    }
    qsort(all, (size_t)sum.latencies, sizeof *all, by_size);
    long n = sum.latencies;
    printf("{\"requests\": %ld, \"opened\": %ld, \"errors\": %ld, \"bytes\": %.0f, \"seconds\": %.3f, \"issuer\": \"%s\", "
        "\"median\": %.2f, \"p99\": %.2f, \"slowest\": %.2f, \"problem\": \"%s\"}\n", sum.requests, sum.opened, sum.errors, sum.bytes, now() - begun,
        sum.issuer, n ? all[n / 2] * 1e3 : 0, n ? all[(long)((double)n * .99)] * 1e3 : 0, n ? all[n - 1] * 1e3 : 0,
        sum.problem);
    fflush(stdout);
}

static void read_argument(char *text) {
    char *value = strchr(text, '=');
    if (!value) {
        fprintf(stderr, "NAME=VALUE is expected: %s\n", text);
        exit(2);
    }
    *value++ = 0;
    if (!strcmp(text, "host")) host = value;
    else if (!strcmp(text, "limited")) limited = value;
    else if (!strcmp(text, "mode")) mode = value;
    else if (!strcmp(text, "path")) path = value;
    else if (!strcmp(text, "port")) port = atoi(value);
    else if (!strcmp(text, "site")) site = atoi(value);
    else if (!strcmp(text, "connections")) connections = atoi(value);
    else if (!strcmp(text, "people")) people = atoi(value);
    else if (!strcmp(text, "streams")) streams = atoi(value) > 64 ? 64 : atoi(value);
    else if (!strcmp(text, "visits")) visits = atoi(value);
    else if (!strcmp(text, "pages")) pages = atoi(value);
    else if (!strcmp(text, "seconds")) seconds = atof(value);
    else if (!strcmp(text, "pause")) pause_ms = atof(value);
    else if (!strcmp(text, "lunch")) lunch = atof(value);
    else exit(2);
}

int main(int count, char **arguments) {
    for (int i = 1; i < count; i++) read_argument(arguments[i]);
    prepare_tls();
    int day = !strcmp(mode, "day"), idle = !strcmp(mode, "idle");
    void *(*work)(void *) = day ? spend_day : idle ? hold : !strcmp(mode, "h2") ? http2 : keep_or_new;
    int threads = idle ? HOLDERS : connections;
    Worker *workers = calloc((size_t)threads, sizeof *workers);
    pthread_t *running = calloc((size_t)threads, sizeof *running);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 512 * 1024);
    begun = now();
    until = begun + seconds;
    for (int i = 0; i < threads; i++) {
        workers[i].number = i;
        workers[i].seed = 1u + (unsigned)i; // the same day for everybody who is compared
        workers[i].latency = malloc(sizeof(float) * MOST_LATENCIES); // only what is used takes memory
        if (pthread_create(&running[i], &attributes, work, &workers[i])) return 3;
    }
    for (int i = 0; i < threads; i++) pthread_join(running[i], NULL);
    if (idle) {
        printf("open\n");
        fflush(stdout);
        char byte;
        while (read(0, &byte, 1) > 0) {}
    }
    report(workers, threads);
    return 0;
}
