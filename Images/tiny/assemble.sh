#!/bin/sh
# Assembles tiny from unpacked Debian packages. In: KILN_TREE (the packages), KILN_RECIPE (this folder), KILN_SHARED (the one above),
# KILN_NAME, KILN_VERSION, GREETING.
# Out: KILN_ROOT (becomes the root file system), KILN_BOOT/kernel, KILN_BOOT/initrd, KILN_BOOT/packages.
set -eu
tree=$KILN_TREE root=$KILN_ROOT
kernel=$(ls "$tree/usr/lib/modules")

# Unpacked packages lack the links of a merged /usr; the loader needs them.
merge_usr() {
    for name in bin sbin lib lib64; do
        mkdir -p "$1/usr/$name"
        [ -e "$1/$name" ] || ln -s "usr/$name" "$1/$name"
    done
}

# Copies programs and the libraries they load.
take() {
    for program in "$@"; do
        mkdir -p "$root/${program%/*}"
        cp -aL "$tree/$program" "$root/$program"
        chroot "$tree" /lib64/ld-linux-x86-64.so.2 --list "/$program" | awk '{ for (i = 1; i <= NF; i++) if ($i ~ "^/") print $i }' |
            while read -r library; do
                target=$(readlink -f "$tree$library")
                case $target in "$tree"/*) ;; *) echo "assemble: $library leads out of the tree" >&2 && exit 1 ;; esac
                mkdir -p "$root/usr/lib/x86_64-linux-gnu"
                case $library in
                /lib64/*) cp -aL "$target" "$root/usr/lib64/${library##*/}" ;;
                *) cp -aL "$target" "$root/usr/lib/x86_64-linux-gnu/${library##*/}" ;;
                esac
            done
    done
}

# The applets of busybox, as links; programs already there stay.
applets() { # ROOT DIRECTORY
    chroot "$tree" /usr/bin/busybox --list | while read -r applet; do
        [ -e "$1/usr/bin/$applet" ] || [ -e "$1/usr/sbin/$applet" ] || ln -s "$2/busybox" "$1/usr/bin/$applet"
    done
}

modules() { # NAME...: stored uncompressed, which loads faster
    mkdir -p "$root/usr/lib/modules/$kernel"
    for module in "$@"; do
        xz -dc "$(find "$tree/usr/lib/modules" -name "$module.ko.xz")" > "$root/usr/lib/modules/$kernel/$module.ko"
    done
}

merge_usr "$tree"
merge_usr "$root"
mkdir -p "$root/dev" "$root/proc" "$root/sys" "$root/run" "$root/tmp" "$root/var/log" "$root/var/lib/cloud" "$root/etc" \
    "$root/root" "$root/srv" "$root/mnt" "$root/usr/share"
chmod 1777 "$root/tmp" && chmod 0700 "$root/root"
cp -R "$KILN_RECIPE/root/." "$root/"
take usr/bin/busybox usr/bin/jq usr/sbin/qemu-ga usr/bin/nohup usr/bin/chattr
applets "$root" /usr/bin
for name in poweroff reboot halt shutdown; do
    rm -f "$root/usr/bin/$name"
    ln -s /usr/lib/kiln/power "$root/usr/sbin/$name"
done
ln -s /usr/bin/busybox "$root/usr/sbin/init"
for name in hwclock modprobe; do ln -sf /usr/bin/busybox "$root/usr/sbin/$name"; done
modules failover net_failover virtio_net cdrom isofs nls_utf8 evdev button virtio-rng

ln -s /proc/mounts "$root/etc/mtab"
ln -s /run/resolv.conf "$root/etc/resolv.conf"
echo "$KILN_NAME" > "$root/etc/hostname"
printf '127.0.0.1 localhost\n::1 localhost\n' > "$root/etc/hosts"
printf 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n' > "$root/etc/passwd"
printf 'root:x:0:\ntty:x:5:\nnogroup:x:65534:\n' > "$root/etc/group"
: > "$root/etc/fstab"
printf 'IMAGE=%s\nVERSION=%s\n' "$KILN_NAME" "$KILN_VERSION" > "$root/etc/kiln-release"
printf 'NAME="Kiln %s"\nID=kiln-%s\nID_LIKE=debian\nVERSION_ID=%s\nPRETTY_NAME="Kiln %s %s"\n' \
    "$KILN_NAME" "$KILN_NAME" "$KILN_VERSION" "$KILN_NAME" "$KILN_VERSION" > "$root/etc/os-release"
echo "$KILN_VERSION" > "$root/srv/www/version"
cat > "$root/srv/www/index.html" <<END
<!doctype html>
<title>$KILN_NAME $KILN_VERSION</title>
<p>$GREETING See <a href="health">health</a>, <a href="version">version</a> and <a href="generation">generation</a>.</p>
END

cp "$tree/boot/vmlinuz-$kernel" "$KILN_BOOT/kernel"
"$KILN_SHARED/initrd/make-initrd" "$tree" "$kernel" "$KILN_BOOT/initrd"

# Only what was taken counts as installed.
grep -E '^(busybox|jq|libjq1|libonig5|qemu-guest-agent|coreutils|libc6|libudev1|libnuma1|liburing2|libglib2.0-0t64|libcap2|libatomic1|libpcre2-8-0|e2fsprogs|libcom-err2|linux-image-[0-9])' \
    "$tree/.kiln-packages" > "$KILN_BOOT/packages"
