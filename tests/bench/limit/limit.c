/*
 * The physical limit: what no agent can avoid, and nothing else.
 *
 * It reads requests from a unix socket and writes replies of the right size with the right data in them. It is a bound
 * to hold agents against, not an agent: it has one file open at a time and ignores handles, knows requests by a word in
 * them instead of parsing JSON, believes every byte, and ends at the first error. `make bench` shows it as `limit`.
 *
 * What makes it fast is what an agent could do too: one write for all replies to one read, base64 by the processor's
 * widest instructions, and payloads in pieces that stay in the processor's cache between one step and the next. For a
 * moment it waits awake, since being woken takes longer than a ping; so its processor time is no bound, only its speed.
 *
 * It is started as agents are: limit -m unix-listen -p SOCKET -t FOLDER
 */
#include <err.h>
#include <fcntl.h>
#include <libbase64.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Bytes of a file at a time, and from the socket. */
#define PIECE (96 << 10)
#define INPUT (256 << 10)
/* How often it looks for a next request before it sleeps. */
#define AWAKE 100
/* A request is a write if it is longer than this, and then what it writes begins before. */
#define LINE 512
#define DATA "\"buf-b64\":\""

static char input[INPUT], output[INPUT], piece[INPUT];
/* How many bytes of `input` are there, how many of `output` wait to be written. */
static size_t filled, waiting;
static int channel, file = -1;

static void put(const char *bytes, size_t count) {
    while (count > 0) {
        ssize_t written = write(channel, bytes, count);
        if (written < 0)
            err(1, "write to the client");
        bytes += written;
        count -= written;
    }
}

static void flush(void) {
    put(output, waiting);
    waiting = 0;
}

static void answer(const char *reply) {
    size_t length = strlen(reply);
    if (waiting + length > sizeof output)
        flush();
    memcpy(output + waiting, reply, length);
    waiting += length;
}

/* Drops what is before `from`, reads more behind the rest, and returns where the rest is now. */
static char *fill_behind(const char *from) {
    filled = input + filled - from;
    memmove(input, from, filled);
    ssize_t got = -1;
    for (int tries = 0; got < 0 && tries < AWAKE; tries++)
        got = recv(channel, input + filled, INPUT - filled, MSG_DONTWAIT);
    if (got < 0)
        got = read(channel, input + filled, INPUT - filled);
    if (got <= 0)
        exit(got < 0);
    filled += got;
    return input;
}

static void open_file(char *request) {
    char *path = strstr(request, "\"path\":\"") + 8;
    int writing = strstr(request, "\"mode\":\"r+\"") != NULL;
    *strchr(path, '"') = 0;
    file = open(path, writing ? O_RDWR : O_RDONLY);
    if (file < 0)
        err(1, "%s", path);
    answer("{\"return\": 1}\n");
}

/*
 * Data goes out as soon as a piece of it is encoded, so the count stands behind it. The library's functions for whole
 * payloads would start threads.
 */
static void read_file(const char *request) {
    size_t left = strtoul(strstr(request, "\"count\":") + 8, NULL, 10), count = 0, length;
    struct base64_state state;
    char tail[64];
    ssize_t got = 1;
    flush();
    answer("{\"return\": {\"buf-b64\": \"");
    base64_stream_encode_init(&state, 0);
    while (left > 0 && (got = read(file, piece, left < PIECE ? left : PIECE)) > 0) {
        base64_stream_encode(&state, piece, got, output + waiting, &length);
        waiting += length;
        count += got;
        left -= got;
        if (left > 0)
            flush();
    }
    if (got < 0)
        err(1, "read from the file");
    base64_stream_encode_final(&state, output + waiting, &length);
    waiting += length;
    snprintf(tail, sizeof tail, "\", \"count\": %zu, \"eof\": %s}}\n", count, left > 0 ? "true" : "false");
    answer(tail);
}

/* Data goes into the file as it comes. It begins at `from`; the result is where the next request begins. */
static char *write_file(char *from) {
    struct base64_state state;
    char reply[64], *quote = NULL, *end;
    size_t count = 0;
    base64_stream_decode_init(&state, 0);
    while (quote == NULL) {
        size_t length = input + filled - from, decoded;
        quote = memchr(from, '"', length);
        if (!base64_stream_decode(&state, from, quote ? (size_t)(quote - from) : length, piece, &decoded))
            errx(1, "not base64");
        if (write(file, piece, decoded) != (ssize_t)decoded)
            err(1, "write to the file");
        count += decoded;
        from = quote ? quote : input + filled;
        if (quote == NULL)
            from = fill_behind(from);
    }
    while ((end = memchr(from, '\n', input + filled - from)) == NULL)
        from = fill_behind(from);
    snprintf(reply, sizeof reply, "{\"return\": {\"count\": %zu, \"eof\": false}}\n", count);
    answer(reply);
    return end + 1;
}

static void answer_line(char *request) {
    if (strstr(request, "guest-ping")) {
        answer("{\"return\": {}}\n");
    } else if (strstr(request, "guest-file-read")) {
        read_file(request);
    } else if (strstr(request, "guest-file-seek")) {
        lseek(file, 0, SEEK_SET);
        answer("{\"return\": {\"position\": 0, \"eof\": false}}\n");
    } else if (strstr(request, "guest-file-open")) {
        open_file(request);
    } else {
        close(file);
        answer("{\"return\": {}}\n");
    }
}

int main(int count, char **words) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *path = NULL;
    int listener = socket(AF_UNIX, SOCK_STREAM, 0), option;
    if (count == 2 && strcmp(words[1], "--version") == 0)
        return puts("limit, with aklomp/base64") < 0;
    while ((option = getopt(count, words, "m:p:t:")) != -1)
        if (option == 'p')
            path = optarg;
    if (path == NULL || strlen(path) >= sizeof address.sun_path)
        errx(1, "usage: limit -p SOCKET");
    strcpy(address.sun_path, path);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(listener, 1) < 0)
        err(1, "%s", path);
    channel = accept(listener, NULL, NULL);

    for (char *from = input;;) {
        size_t there = input + filled - from, look = there < LINE ? there : LINE;
        char *end = memchr(from, '\n', look), *data;
        if (end != NULL) {
            *end = 0;
            answer_line(from);
            from = end + 1;
        } else if (look == LINE && (data = memmem(from, look, DATA, strlen(DATA))) != NULL) {
            from = write_file(data + strlen(DATA));
        } else {
            flush();
            from = fill_behind(from);
        }
    }
}
