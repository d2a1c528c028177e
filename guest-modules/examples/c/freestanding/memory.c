/*
 * The few functions of the C library that the module and its bindings call.
 *
 * Memory is only ever given out: every request gets an instance of its own, which is thrown away with all its memory as
 * soon as it has answered. How much there is the host decides; when it gives no more, the module traps, and the client
 * gets an error.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define PAGE 65536u /* WebAssembly's */
#define ALIGNMENT 16u

/* Where the linker's data and stack end. */
extern unsigned char __heap_base;
static uintptr_t next;

/* What stands before each block, so that realloc knows how much to copy. */
struct header {
    size_t size;
    unsigned char padding[ALIGNMENT - sizeof(size_t)];
};

void *malloc(size_t size) {
    if (next == 0)
        next = ((uintptr_t)&__heap_base + ALIGNMENT - 1) & ~(uintptr_t)(ALIGNMENT - 1);
    size_t held = __builtin_wasm_memory_size(0) * PAGE;
    if (size > SIZE_MAX / 2)
        abort();
    size_t wanted = sizeof(struct header) + ((size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1));
    if (wanted > SIZE_MAX - next)
        abort();
    if (next + wanted > held) {
        size_t pages = (next + wanted - held + PAGE - 1) / PAGE;
        if (__builtin_wasm_memory_grow(0, pages) == SIZE_MAX)
            abort();
    }
    struct header *header = (struct header *)next;
    header->size = size;
    next += wanted;
    return header + 1;
}

void *realloc(void *old, size_t size) {
    void *block = malloc(size);
    if (old != NULL) {
        size_t had = ((struct header *)old - 1)->size;
        memcpy(block, old, had < size ? had : size);
    }
    return block;
}

void free(void *block) {
    (void)block;
}

_Noreturn void abort(void) {
    __builtin_trap();
}

/* The compiler must not make calls of these functions out of their own loops: -fno-builtin, in the Makefile. */
void *memcpy(void *restrict to, const void *restrict from, size_t size) {
    unsigned char *target = to;
    const unsigned char *source = from;
    for (size_t at = 0; at < size; at++)
        target[at] = source[at];
    return to;
}

void *memset(void *to, int byte, size_t size) {
    unsigned char *target = to;
    for (size_t at = 0; at < size; at++)
        target[at] = (unsigned char)byte;
    return to;
}

int memcmp(const void *left, const void *right, size_t size) {
    const unsigned char *one = left, *other = right;
    for (size_t at = 0; at < size; at++)
        if (one[at] != other[at])
            return one[at] < other[at] ? -1 : 1;
    return 0;
}

size_t strlen(const char *text) {
    size_t length = 0;
    while (text[length] != '\0')
        length++;
    return length;
}
