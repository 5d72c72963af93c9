#pragma once
#include <stddef.h>
#include <libvirt/libvirt.h>
#include <libvirt/libvirt-qemu.h>
#include <libvirt/virterror.h>

// libvirt takes every event callback through the function-like macro VIR_DOMAIN_EVENT_CALLBACK, a cast that Swift
// cannot import. One function per kind keeps the compiler checking each callback's real signature.

static inline int
kit_register_lifecycle(virConnectPtr conn, virConnectDomainEventCallback cb, void *opaque, virFreeCallback freecb)
{
    return virConnectDomainEventRegisterAny(conn, NULL, VIR_DOMAIN_EVENT_ID_LIFECYCLE,
                                            VIR_DOMAIN_EVENT_CALLBACK(cb), opaque, freecb);
}

static inline int
kit_register_io_error(virConnectPtr conn, virConnectDomainEventIOErrorReasonCallback cb, void *opaque,
                      virFreeCallback freecb)
{
    return virConnectDomainEventRegisterAny(conn, NULL, VIR_DOMAIN_EVENT_ID_IO_ERROR_REASON,
                                            VIR_DOMAIN_EVENT_CALLBACK(cb), opaque, freecb);
}

static inline int
kit_register_device_removed(virConnectPtr conn, virConnectDomainEventDeviceRemovedCallback cb, void *opaque,
                            virFreeCallback freecb)
{
    return virConnectDomainEventRegisterAny(conn, NULL, VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED,
                                            VIR_DOMAIN_EVENT_CALLBACK(cb), opaque, freecb);
}

static inline int
kit_register_device_removal_failed(virConnectPtr conn, virConnectDomainEventDeviceRemovalFailedCallback cb,
                                   void *opaque, virFreeCallback freecb)
{
    return virConnectDomainEventRegisterAny(conn, NULL, VIR_DOMAIN_EVENT_ID_DEVICE_REMOVAL_FAILED,
                                            VIR_DOMAIN_EVENT_CALLBACK(cb), opaque, freecb);
}

static inline int
kit_register_agent_lifecycle(virConnectPtr conn, virConnectDomainEventAgentLifecycleCallback cb, void *opaque,
                             virFreeCallback freecb)
{
    return virConnectDomainEventRegisterAny(conn, NULL, VIR_DOMAIN_EVENT_ID_AGENT_LIFECYCLE,
                                            VIR_DOMAIN_EVENT_CALLBACK(cb), opaque, freecb);
}
