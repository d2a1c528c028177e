/* Internet addresses as people write them. */
#pragma once
#include "text.h"

/* `192.0.2.5`. */
void add_ipv4(struct text *text, uint32_t address);
/* RFC 5952: groups in lower case without leading zeros, and the first of the longest runs of zeros as `::`. */
void add_ipv6(struct text *text, const uint16_t groups[8]);
