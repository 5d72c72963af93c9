#pragma once

#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

// prctl is variadic, which Swift can't import.
static inline int kiln_become_child_subreaper(void) {
    return prctl(PR_SET_CHILD_SUBREAPER, 1UL, 0UL, 0UL, 0UL);
}

static inline int kiln_end_with_parent(void) {
    return prctl(PR_SET_PDEATHSIG, (unsigned long)SIGKILL, 0UL, 0UL, 0UL);
}

static inline int kiln_give_up_new_privileges(void) {
    return prctl(PR_SET_NO_NEW_PRIVS, 1UL, 0UL, 0UL, 0UL);
}

// landlock(7) has no functions in the C library, and syscall is variadic as well.
static inline int kiln_landlock_create_ruleset(const void *rules, size_t size, unsigned int flags) {
    return (int)syscall(SYS_landlock_create_ruleset, rules, size, flags);
}

static inline int kiln_landlock_restrict_self(int ruleset) {
    return (int)syscall(SYS_landlock_restrict_self, ruleset, 0U);
}

// The C library declares renameat2 and RENAME_NOREPLACE (1) only with _GNU_SOURCE. AT_FDCWD (-100) would take fcntl.h, whose
// struct stat Swift would then take for this module's.
static inline int kiln_rename_to_new(const char *from, const char *to) {
    return (int)syscall(SYS_renameat2, -100, from, -100, to, 1U);
}

// memfd_create(2) is declared for GNU sources only; the flag is MFD_CLOEXEC.
static inline int kiln_memory_file(const char *name) {
    return (int)syscall(SYS_memfd_create, name, 1U);
}

// The C library declares these with _GNU_SOURCE only. By names of our own, so that spawn.h, whose types Swift would then take for
// this module's, need not be read here.
extern int kiln_spawn_take_terminal(void *actions, int terminal)
    __asm__("posix_spawn_file_actions_addtcsetpgrp_np");
extern int kiln_spawn_close_from(void *actions, int first) __asm__("posix_spawn_file_actions_addclosefrom_np");
