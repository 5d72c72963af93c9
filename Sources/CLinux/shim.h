#pragma once

#include <sys/prctl.h>

// prctl is variadic, which Swift can't import.
static inline int kiln_become_child_subreaper(void) {
    return prctl(PR_SET_CHILD_SUBREAPER, 1UL, 0UL, 0UL, 0UL);
}
