#include "text.h"
#include <stdlib.h>
#include <string.h>

struct view view_of(const char *text) {
    return (struct view){text, strlen(text)};
}

bool view_equals(struct view left, struct view right) {
    return left.length == right.length && memcmp(left.start, right.start, left.length) == 0;
}

static void skip(struct view *rest, size_t count) {
    rest->start += count;
    rest->length -= count;
}

bool next_line(struct view *rest, struct view *line) {
    if (rest->length == 0)
        return false;
    size_t end = 0;
    while (end < rest->length && rest->start[end] != '\n')
        end++;
    *line = (struct view){rest->start, end};
    skip(rest, end < rest->length ? end + 1 : end);
    return true;
}

static bool is_blank(char letter) {
    return letter == ' ' || letter == '\t';
}

bool next_word(struct view *rest, struct view *word) {
    while (rest->length > 0 && is_blank(rest->start[0]))
        skip(rest, 1);
    size_t end = 0;
    while (end < rest->length && !is_blank(rest->start[end]))
        end++;
    *word = (struct view){rest->start, end};
    skip(rest, end);
    return end > 0;
}

static bool digit(char letter, uint32_t base, uint32_t *value) {
    if (letter >= '0' && letter <= '9')
        *value = (uint32_t)(letter - '0');
    else if (letter >= 'a' && letter <= 'f')
        *value = (uint32_t)(letter - 'a') + 10;
    else if (letter >= 'A' && letter <= 'F')
        *value = (uint32_t)(letter - 'A') + 10;
    else
        return false;
    return *value < base;
}

static bool parse(struct view digits, uint32_t base, uint32_t *number) {
    uint64_t value = 0;
    for (size_t at = 0; at < digits.length; at++) {
        uint32_t next;
        if (!digit(digits.start[at], base, &next))
            return false;
        value = value * base + next;
        if (value > UINT32_MAX)
            return false;
    }
    *number = (uint32_t)value;
    return digits.length > 0;
}

bool parse_hexadecimal(struct view digits, uint32_t *number) {
    return parse(digits, 16, number);
}

bool parse_decimal(struct view digits, uint32_t *number) {
    return parse(digits, 10, number);
}

void add_view(struct text *text, struct view piece) {
    if (piece.length > text->capacity - text->length) {
        text->capacity = (text->length + piece.length) * 2;
        text->start = realloc(text->start, text->capacity);
    }
    memcpy(text->start + text->length, piece.start, piece.length);
    text->length += piece.length;
}

void add(struct text *text, const char *piece) {
    add_view(text, view_of(piece));
}

void add_number(struct text *text, uint32_t number, uint32_t base) {
    char digits[32];
    size_t at = sizeof digits;
    do {
        digits[--at] = "0123456789abcdef"[number % base];
        number /= base;
    } while (number > 0);
    add_view(text, (struct view){digits + at, sizeof digits - at});
}

void add_json(struct text *text, struct view value) {
    add(text, "\"");
    for (size_t at = 0; at < value.length; at++) {
        char letter = value.start[at];
        if (letter == '"' || letter == '\\')
            add(text, "\\");
        if (letter >= ' ' && letter <= '~')
            add_view(text, (struct view){&letter, 1});
        else
            add(text, "\\uFFFD");
    }
    add(text, "\"");
}
