#!/bin/bash
# Lets everybody use what a hosted runner keeps to root: KVM, and user namespaces, in which plain users bake.
set -euo pipefail

as_root() { if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi; }

if [ ! -e /dev/kvm ]; then
    echo "no /dev/kvm: machines are emulated, some ten times slower"
elif [ -d /run/udev ]; then
    # A rule, and not only a mode: udev would take the mode back.
    echo 'KERNEL=="kvm", MODE="0666", OPTIONS+="static_node=kvm"' | as_root tee /etc/udev/rules.d/99-kiln-kvm.rules
    as_root udevadm control --reload
    as_root udevadm trigger --name-match=kvm --settle
else
    as_root chmod 0666 /dev/kvm || echo "/dev/kvm can't be opened for everybody" >&2
fi

restriction=/proc/sys/kernel/apparmor_restrict_unprivileged_userns
if [ -e "$restriction" ]; then
    # In a container it belongs to the host, where root needs no such namespace.
    as_root sysctl -w kernel.apparmor_restrict_unprivileged_userns=0 ||
        echo "user namespaces stay restricted; plain users may not be able to bake" >&2
fi
