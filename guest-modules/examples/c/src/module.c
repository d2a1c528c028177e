/*
 * `__org.bulkhead_primary-address`: the interface that the default route leads through, and its addresses.
 *
 * The host calls `handle` once, in an instance of its own, and what it calls here is all that it can reach: the bindings
 * are made from wit/world.wit.
 */
#include "addresses.h"
#include "primary_address.h"
#include "routes.h"
#include <stdlib.h>
#include <string.h>

typedef primary_address_string_t string;
typedef bulkhead_agent_types_command_error_t command_error;
typedef bulkhead_agent_network_interface_address_t interface_address;

static const char COMMAND[] = "__org.bulkhead_primary-address";

static string taken(struct text text) {
    return (string){(uint8_t *)text.start, text.length};
}

static bool fail(command_error *error, uint8_t class, struct text desc) {
    error->class_ = class;
    error->desc = taken(desc);
    return false;
}

static bool fail_with(command_error *error, const char *what, struct view whom, const char *why) {
    struct text desc = {0};
    add(&desc, what);
    add_view(&desc, whom);
    add(&desc, why);
    return fail(error, BULKHEAD_AGENT_TYPES_ERROR_CLASS_GENERIC_ERROR, desc);
}

/* The command has no arguments. The text is one well-formed object: the first thing in it, if any, is a name. */
static bool check_arguments(exports_bulkhead_agent_handler_argument_text_t *arguments, command_error *error) {
    if (arguments->tag != EXPORTS_BULKHEAD_AGENT_HANDLER_ARGUMENT_TEXT_WHOLE)
        return fail_with(error, "The arguments are unexpected", view_of(""), "");
    struct view text = {(const char *)arguments->val.whole.ptr, arguments->val.whole.len};
    size_t start = 0;
    while (start < text.length && text.start[start] != '"')
        start++;
    if (start == text.length)
        return true;
    size_t end = ++start;
    while (text.start[end] != '"')
        end += text.start[end] == '\\' ? 2 : 1;
    return fail_with(error, "Parameter '", (struct view){text.start + start, end - start}, "' is unexpected");
}

/* A kernel without one version of the protocol has no such file, and so has a table without routes. */
static bool read_table(const char *path, struct view *table, command_error *error) {
    bulkhead_agent_system_files_path_t name = {(uint8_t *)path, strlen(path)};
    primary_address_list_u8_t bytes;
    bulkhead_agent_system_files_error_code_t code;
    *table = view_of("");
    if (bulkhead_agent_system_files_read(&name, &bytes, &code)) {
        *table = (struct view){(const char *)bytes.ptr, bytes.len};
        return true;
    }
    switch (code) {
    case BULKHEAD_AGENT_TYPES_ERROR_CODE_NO_ENTRY:
        return true;
    case BULKHEAD_AGENT_TYPES_ERROR_CODE_DENIED:
        return fail_with(error, "", view_of(path), " may not be read: the agent's policy does not grant it");
    default:
        return fail_with(error, "", view_of(path), " cannot be read");
    }
}

/* An address of the link itself says nothing to anybody who is elsewhere. */
static bool is_link_local(const uint16_t groups[8]) {
    return (groups[0] & 0xFFC0) == 0xFE80;
}

/* Writes the address as a JSON string, unless it is none that a client could use. */
static bool add_address(struct text *text, const bulkhead_agent_network_address_t *address) {
    struct text written = {0};
    if (address->tag == BULKHEAD_AGENT_NETWORK_ADDRESS_IPV4) {
        add_ipv4(&written, address->val.ipv4.f0);
    } else if (address->tag == BULKHEAD_AGENT_NETWORK_ADDRESS_IPV6) {
        const uint16_t *groups = &address->val.ipv6.f0.f0;
        if (is_link_local(groups))
            return false;
        add_ipv6(&written, groups);
    } else {
        return false;
    }
    add_json(text, (struct view){written.start, written.length});
    return true;
}

static bool answer(string *reply, command_error *error) {
    struct view table, table6, interface;
    if (!read_table("/proc/net/route", &table, error) || !read_table("/proc/net/ipv6_route", &table6, error))
        return false;
    if (!default_interface(table, &interface) && !default_interface6(table6, &interface))
        return fail_with(error, "there is no default route", view_of(""), "");

    bulkhead_agent_network_list_interface_address_t all;
    bulkhead_agent_network_error_code_t code;
    if (!bulkhead_agent_network_addresses(&all, &code))
        return fail_with(error, "the addresses of ", interface, " cannot be read");

    struct text text = {0};
    add(&text, "{\"interface\": ");
    add_json(&text, interface);
    add(&text, ", \"addresses\": [");
    size_t before = text.length;
    for (size_t at = 0; at < all.len; at++) {
        const interface_address *one = &all.ptr[at];
        struct view name = {(const char *)one->name.ptr, one->name.len};
        if (!view_equals(name, interface))
            continue;
        struct text address = {0};
        if (!add_address(&address, &one->address))
            continue;
        if (text.length > before)
            add(&text, ", ");
        add_view(&text, (struct view){address.start, address.length});
    }
    add(&text, "]}");
    *reply = taken(text);
    return true;
}

bool exports_bulkhead_agent_handler_handle(
    string *command, exports_bulkhead_agent_handler_argument_text_t *arguments, string *reply,
    exports_bulkhead_agent_handler_command_error_t *error) {
    struct view name = {(const char *)command->ptr, command->len};
    if (!view_equals(name, view_of(COMMAND))) {
        struct text desc = {0};
        add(&desc, "The command ");
        add_view(&desc, name);
        add(&desc, " has not been found");
        return fail(error, BULKHEAD_AGENT_TYPES_ERROR_CLASS_COMMAND_NOT_FOUND, desc);
    }
    return check_arguments(arguments, error) && answer(reply, error);
}
