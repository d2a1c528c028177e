#include "routes.h"

/* Flags of a route, from the kernel's <linux/route.h>: it is in use, and it does not say "no way". */
#define UP 0x1u
#define REJECT 0x200u

/* The longest line that the kernel writes has eleven words. */
#define WORDS 11

static size_t split(struct view line, struct view words[WORDS]) {
    size_t count = 0;
    while (count < WORDS && next_word(&line, &words[count]))
        count++;
    return count;
}

static bool leads(uint32_t flags) {
    return (flags & UP) != 0 && (flags & REJECT) == 0;
}

/* `eth0 00000000 0102A8C0 0003 0 0 100 00000000 0 0 0`: interface, destination, gateway, flags, two counters, metric,
   mask, and more. The heading is no number and passed over. */
bool default_interface(struct view table, struct view *interface) {
    struct view line, words[WORDS];
    uint32_t destination, flags, metric, mask, best = 0;
    bool found = false;
    while (next_line(&table, &line)) {
        if (split(line, words) < 8 || !parse_hexadecimal(words[1], &destination) || !parse_hexadecimal(words[3], &flags) ||
            !parse_decimal(words[6], &metric) || !parse_hexadecimal(words[7], &mask))
            continue;
        if (destination == 0 && mask == 0 && leads(flags) && (!found || metric < best)) {
            found = true;
            best = metric;
            *interface = words[0];
        }
    }
    return found;
}

static bool is_zero(struct view digits) {
    for (size_t at = 0; at < digits.length; at++)
        if (digits.start[at] != '0')
            return false;
    return digits.length > 0;
}

/* `00..00 00 00..00 00 fe80..01 00000400 00000001 00000000 00000003 eth0`: destination and its prefix, source and its
   prefix, next hop, metric, two counters, flags, interface. */
bool default_interface6(struct view table, struct view *interface) {
    struct view line, words[WORDS];
    uint32_t flags, metric, best = 0;
    bool found = false;
    while (next_line(&table, &line)) {
        if (split(line, words) != 10 || !parse_hexadecimal(words[5], &metric) || !parse_hexadecimal(words[8], &flags))
            continue;
        if (is_zero(words[0]) && is_zero(words[1]) && leads(flags) && (!found || metric < best)) {
            found = true;
            best = metric;
            *interface = words[9];
        }
    }
    return found;
}
