#pragma once

#include <ext2fs/ext2fs.h>

// A global variable that is never written, which Swift can't know.
static inline io_manager kiln_descriptor_io_manager(void) {
    return unixfd_io_manager;
}
