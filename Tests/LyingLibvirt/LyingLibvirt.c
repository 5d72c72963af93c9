#define _GNU_SOURCE
#include <dlfcn.h>
#include <libvirt/libvirt-qemu.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static __thread int lied;
static __thread virError lie = {
    .code = 4711, .domain = 4711, .message = "a failure that no libvirt has", .level = VIR_ERR_ERROR};

// Whether the word is one of those in KILN_TEST_LIES.
static int named(const char *word) {
    const char *all = getenv("KILN_TEST_LIES");
    size_t length = strlen(word);
    for (const char *found = all; found && (found = strstr(found, word)); found += length) {
        int begins = found == all || found[-1] == ' ';
        if (begins && (found[length] == ' ' || found[length] == 0)) return 1;
    }
    return 0;
}

static int tell(const char *word) {
    const char *path = getenv("KILN_TEST_LIES_TOLD");
    FILE *file = path ? fopen(path, "ae") : NULL;
    if (file) {
        fprintf(file, "%s\n", word);
        fclose(file);
    }
    lied = 1;
    return 1;
}

static int act(const char *word) { return named(word) && tell(word); }

// Every so many looks of a kind, which are counted apart: how many there are of others decides nothing. Never two in a row,
// for kiln looks again just once.
static int look(const char *word, int *looks, int period) {
    return named(word) && __atomic_add_fetch(looks, 1, __ATOMIC_RELAXED) % period == 0 && tell(word);
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define ACT(name, parameters, arguments)                                                                               \
    int name parameters {                                                                                              \
        int result = REAL(name) arguments;                                                                             \
        return act(#name) ? -1 : result;                                                                               \
    }

ACT(virDomainCreateWithFlags, (virDomainPtr domain, unsigned int flags), (domain, flags))
ACT(virDomainResume, (virDomainPtr domain), (domain))
ACT(virDomainShutdownFlags, (virDomainPtr domain, unsigned int flags), (domain, flags))
ACT(virDomainDestroyFlags, (virDomainPtr domain, unsigned int flags), (domain, flags))
ACT(virDomainUndefineFlags, (virDomainPtr domain, unsigned int flags), (domain, flags))
ACT(virDomainAttachDeviceFlags, (virDomainPtr domain, const char *xml, unsigned int flags), (domain, xml, flags))
ACT(virDomainDetachDeviceAlias, (virDomainPtr domain, const char *alias, unsigned int flags), (domain, alias, flags))

virDomainPtr virDomainDefineXMLFlags(virConnectPtr connection, const char *xml, unsigned int flags) {
    virDomainPtr result = REAL(virDomainDefineXMLFlags)(connection, xml, flags);
    if (!act("virDomainDefineXMLFlags")) return result;
    if (result) virDomainFree(result);
    return NULL;
}

virDomainSnapshotPtr virDomainSnapshotCreateXML(virDomainPtr domain, const char *xml, unsigned int flags) {
    virDomainSnapshotPtr result = REAL(virDomainSnapshotCreateXML)(domain, xml, flags);
    if (!act("virDomainSnapshotCreateXML")) return result;
    if (result) virDomainSnapshotFree(result);
    return NULL;
}

int virDomainQemuMonitorCommand(virDomainPtr domain, const char *command, char **answer, unsigned int flags) {
    int result = REAL(virDomainQemuMonitorCommand)(domain, command, answer, flags);
    static int looks;
    // What is only asked is a look, of which a command has two or three.
    int lies = strncmp(command, "info ", 5) == 0 ? look("info", &looks, 2) : act("virDomainQemuMonitorCommand");
    if (!lies) return result;
    if (result == 0) free(*answer);
    *answer = NULL;
    return -1;
}

char *virDomainQemuAgentCommand(virDomainPtr domain, const char *json, int seconds, unsigned int flags) {
    static const char *const commands[] = {"guest-shutdown", "guest-fsfreeze-freeze", "guest-fsfreeze-thaw"};
    char *result = REAL(virDomainQemuAgentCommand)(domain, json, seconds, flags);
    for (size_t index = 0; index < sizeof commands / sizeof *commands; index++) {
        if (!strstr(json, commands[index]) || !act(commands[index])) continue;
        free(result);
        return NULL;
    }
    return result;
}

char *virDomainGetXMLDesc(virDomainPtr domain, unsigned int flags) {
    static int looks;
    char *result = REAL(virDomainGetXMLDesc)(domain, flags);
    if (!look("virDomainGetXMLDesc", &looks, 3)) return result;
    free(result);
    return NULL;
}

int virDomainGetState(virDomainPtr domain, int *state, int *reason, unsigned int flags) {
    static int looks;
    int result = REAL(virDomainGetState)(domain, state, reason, flags);
    return look("virDomainGetState", &looks, 3) ? -1 : result;
}

virDomainPtr virDomainLookupByName(virConnectPtr connection, const char *name) {
    static int looks;
    virDomainPtr result = REAL(virDomainLookupByName)(connection, name);
    if (!look("virDomainLookupByName", &looks, 3)) return result;
    if (result) virDomainFree(result);
    return NULL;
}

// kiln asks right after a failure; whoever asks libvirt's own code gets its own answer.
virErrorPtr virGetLastError(void) {
    if (!lied) return REAL(virGetLastError)();
    lied = 0;
    return &lie;
}
