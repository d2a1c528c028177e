/* The interface with the default route, from the kernel's routing tables. */
#pragma once
#include "text.h"

/* The interface of the default route in the text of /proc/net/route: of several the one with the lowest metric. */
bool default_interface(struct view table, struct view *interface);
/* The same for /proc/net/ipv6_route. */
bool default_interface6(struct view table, struct view *interface);
