#include "addresses.h"

void add_ipv4(struct text *text, uint32_t address) {
    for (int shift = 24; shift >= 0; shift -= 8) {
        add_number(text, (address >> shift) & 0xFF, 10);
        if (shift > 0)
            add(text, ".");
    }
}

void add_ipv6(struct text *text, const uint16_t groups[8]) {
    /* A single zero is not shortened. */
    int run = 8, length = 1;
    for (int start = 0; start < 8; start++) {
        int end = start;
        while (end < 8 && groups[end] == 0)
            end++;
        if (end - start > length) {
            run = start;
            length = end - start;
        }
    }
    for (int at = 0; at < 8;) {
        if (at == run) {
            add(text, "::");
            at += length;
            continue;
        }
        if (at > 0 && at != run + length)
            add(text, ":");
        add_number(text, groups[at++], 16);
    }
}
