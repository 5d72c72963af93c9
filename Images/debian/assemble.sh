#!/bin/sh
# Turns an installed Debian tree into an image that boots fast and holds nothing a machine must have of its own. In:
# KILN_TREE (the installed tree), KILN_RECIPE (the folder of the recipe, which may have a root/ of its own), KILN_SHARED
# (the one above this), KILN_NAME, KILN_VERSION.
# Out: KILN_ROOT (becomes the root file system), KILN_BOOT/kernel, KILN_BOOT/initrd, KILN_BOOT/packages.
set -eu
root=$KILN_ROOT
find "$KILN_TREE" -mindepth 1 -maxdepth 1 -exec mv -t "$root" {} +
mv "$root/.kiln-packages" "$KILN_BOOT/packages"
kernel=$(ls "$root/usr/lib/modules")
cp "$root/boot/vmlinuz-$kernel" "$KILN_BOOT/kernel"
"$KILN_SHARED/initrd/make-initrd" "$root" "$kernel" "$KILN_BOOT/initrd"
# The kernel is handed to the machine from outside.
rm -rf "$root/boot" "$root/vmlinuz" "$root/vmlinuz.old" "$root/initrd.img" "$root/initrd.img.old"
mkdir "$root/boot"
cp -R "$KILN_SHARED/debian/root/." "$root/"
[ ! -d "$KILN_RECIPE/root" ] || cp -R "$KILN_RECIPE/root/." "$root/"

# What every machine must have of its own. An empty machine-id is filled in at boot without counting as a first boot.
rm -f "$root"/etc/ssh/ssh_host_* "$root/var/lib/systemd/random-seed" "$root/var/lib/dbus/machine-id" "$root/etc/hostname"
: > "$root/etc/machine-id"
echo "$KILN_NAME" > "$root/etc/hostname"
printf '127.0.0.1 localhost\n127.0.1.1 %s\n::1 localhost\n' "$KILN_NAME" > "$root/etc/hosts"
: > "$root/etc/fstab"

# What the first boot would otherwise make: then only what somebody else makes is drift. cloud-init finds its user there
# and leaves the lists of users as they are; their copies are those that it leaves behind.
chroot "$root" useradd --create-home --uid 1000 --user-group --groups adm --comment Debian --shell /bin/bash debian
install -d -m 0700 -o 1000 -g 1000 "$root/home/debian/.ssh"
for list in passwd group shadow gshadow subuid subgid; do cp -p "$root/etc/$list" "$root/etc/$list-"; done
install -d -m 0700 "$root/root/.ssh"
install -d "$root/var/lib/systemd/linger" "$root/var/lib/dbus"
ln -sf /etc/machine-id "$root/var/lib/dbus/machine-id"
rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/* "$root"/var/log/* "$root"/usr/share/man "$root"/usr/share/info "$root"/usr/share/doc \
    "$root"/usr/share/locale "$root"/etc/apt/sources.list "$root"/etc/apt/sources.list.d/*
mkdir -p "$root/var/log" "$root/var/cache/apt/archives/partial"

# The keyboard is set up where user-data declares one: see console-setup.service.d.
rm -f "$root/etc/default/keyboard" "$root"/usr/lib/udev/rules.d/*console-setup*

# Boot time. cloud-init's generator and hot-plug rule: see /etc/tmpfiles.d/kiln.conf. Key generation: cloud-init's, ed25519.
rm -f "$root/usr/lib/systemd/system-generators/cloud-init-generator" "$root"/usr/lib/udev/rules.d/*cloud-init* \
    "$root"/usr/lib/udev/rules.d/*azure*
unit() { chroot "$root" systemctl --quiet "$@" 2> /dev/null || { echo "assemble: systemctl $* failed" >&2 && exit 1; }; }
unit mask sshd-keygen.service apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer fstrim.timer \
    systemd-tmpfiles-clean.timer e2scrub_all.timer e2scrub_reap.service getty@tty1.service ldconfig.service systemd-hwdb-update.service \
    systemd-journal-catalog-update.service systemd-update-done.service systemd-firstboot.service systemd-pstore.service \
    systemd-binfmt.service proc-sys-fs-binfmt_misc.automount systemd-hibernate-clear.service systemd-pcrmachine.service \
    systemd-pcrphase.service systemd-pcrphase-sysinit.service systemd-tpm2-setup.service systemd-tpm2-setup-early.service \
    sys-fs-fuse-connections.mount sys-kernel-config.mount sys-kernel-debug.mount sys-kernel-tracing.mount \
    dev-hugepages.mount cloud-init-hotplugd.socket systemd-networkd-persistent-storage.service remote-fs.target
unit enable systemd-networkd.service systemd-resolved.service ssh.service kiln-web.service
unit add-wants multi-user.target cloud-init.target
unit add-wants cloud-init.target kiln-hold.service

printf 'IMAGE=%s\nVERSION=%s\n' "$KILN_NAME" "$KILN_VERSION" > "$root/etc/kiln-release"
echo "$KILN_VERSION" > "$root/srv/www/version"
printf '<!doctype html>\n<title>%s</title>\n<p>An immutable server. See <a href="health">health</a>, <a href="version">version</a> and <a href="generation">generation</a>.</p>\n' \
    "$KILN_NAME" > "$root/srv/www/index.html"
