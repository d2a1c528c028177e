/* Pieces of text: views of somebody's bytes, and a text that grows. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A view of bytes, which need not end with a NUL. */
struct view {
    const char *start;
    size_t length;
};

struct view view_of(const char *text);
bool view_equals(struct view left, struct view right);

/* Takes the next line from `rest`; false if there is none. */
bool next_line(struct view *rest, struct view *line);
/* Takes the next word, which blanks surround, from `rest`; false if there is none. */
bool next_word(struct view *rest, struct view *word);

/* Numbers as the kernel writes them: up to eight digits in base 16, any that fit into 32 bits in base 10. */
bool parse_hexadecimal(struct view digits, uint32_t *number);
bool parse_decimal(struct view digits, uint32_t *number);

/* A text in the making. Begin with `{0}`. */
struct text {
    char *start;
    size_t length, capacity;
};

void add_view(struct text *text, struct view piece);
void add(struct text *text, const char *piece);
void add_number(struct text *text, uint32_t number, uint32_t base);
/* Adds a JSON string. What is not printable ASCII becomes U+FFFD, byte by byte. */
void add_json(struct text *text, struct view value);
