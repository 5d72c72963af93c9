import KilnModel

/// Removes from a tree what every machine has to have of its own, and what the bake left behind.
///
/// That it does is proved of each image by two machines of it: see the tests of images.
enum Cleaning {
    /// Raised when it begins to clean otherwise.
    static let version = "3"

    /// Runs in the tree; `$1` is the image's name, `$2` its version, `$3` is `booted` in a machine that runs: what is in its /run
    /// keeps it alive, and lies in memory.
    static let script = """
        set -eu
        # Identity: an empty machine-id is filled in at boot without counting as a first boot.
        [ ! -e /etc/machine-id ] || : > /etc/machine-id
        rm -f /etc/ssh/ssh_host_* /var/lib/systemd/random-seed /var/lib/systemd/credential.secret /etc/machine-info
        if [ -e /var/lib/dbus/machine-id ] && [ ! -L /var/lib/dbus/machine-id ]; then rm -f /var/lib/dbus/machine-id; fi
        rm -rf /var/lib/dhcp/*.leases /var/lib/dhcp/dhclient*.lease /var/lib/NetworkManager/*.lease /var/lib/systemd/network/* \\
            /etc/udev/rules.d/70-persistent-net.rules
        # What cloud-init made in a first boot, were the tree ever booted.
        rm -rf /var/lib/cloud/instance /var/lib/cloud/instances /var/lib/cloud/sem /var/lib/cloud/data
        rm -f /etc/netplan/50-cloud-init.yaml /etc/systemd/network/10-cloud-init-*.network \\
            /etc/network/interfaces.d/50-cloud-init.cfg /etc/ssh/sshd_config.d/50-cloud-init.conf
        # Caches and logs of the bake; a log that a package made stays, empty.
        rm -rf /var/lib/apt/lists/* /var/cache/apt/archives/*.deb /var/cache/apt/*.bin /var/cache/debconf/*-old \\
            /var/lib/dpkg/*-old /var/cache/ldconfig/aux-cache /root/.bash_history /root/.cache /root/.ansible /root/.puppetlabs
        [ ! -d /var/log ] || find /var/log -type f \\( -name '*.gz' -o -name '*.[0-9]' -o -name '*.old' \\) -exec rm -f {} +
        [ ! -d /var/log ] || find /var/log -type f -exec sh -c 'for log; do : > "$log"; done' sh {} +
        # A program left behind in a cache of bytes depends on the moment at which it was made.
        rm -rf /tmp/* /tmp/.[!.]* /var/tmp/* /var/tmp/.[!.]* 2> /dev/null || true
        [ "${3:-}" = booted ] || rm -rf /run/* 2> /dev/null || true
        # So that a machine can say what it is made from.
        for file in /usr/lib/os-release /etc/os-release; do
            if [ -f "$file" ] && [ ! -L "$file" ]; then
                sed -i '/^IMAGE_ID=/d; /^IMAGE_VERSION=/d' "$file"
                printf 'IMAGE_ID="%s"\nIMAGE_VERSION="%s"\n' "$1" "$2" >> "$file"
            fi
        done
        """

    /// Empties what a tree, `$1`, has of its own where a room has another /tmp and /run; runs beside it, and follows no link of it.
    static let emptying = """
        set -eu
        cd -- "$1"
        for folder in tmp run var/tmp; do
            [ ! -L "${folder%%/*}" ] && [ ! -L "$folder" ] && [ -d "$folder" ] || continue
            find "$folder" -xdev -mindepth 1 -delete
        done
        """
}
