#!/bin/sh
# Called by mmdebstrap with the root folder of the new system: customize.sh early|late ROOT
set -eu
stage=$1 root=$2
files=$(dirname "$(readlink -f "$0")")/rootfs
put() { (cd "$files" && tar --owner=0 --group=0 -c "$@") | tar -C "$root" -x; }

if [ "$stage" = early ]; then
    put etc/initramfs-tools
    exit 0
fi

put .
rm -f "$root"/etc/ssh/ssh_host_* "$root"/etc/hostname "$root"/var/log/*.log "$root"/var/log/apt/*
: > "$root"/etc/machine-id
chroot "$root" systemctl --quiet enable node-identity.service
# Timers and consoles that only cost time in a guest. Nothing of LVM, udev, device-mapper or LIO is touched.
chroot "$root" systemctl --quiet mask \
    apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer e2scrub_reap.service \
    systemd-pstore.service systemd-update-utmp.service systemd-update-utmp-runlevel.service getty@tty1.service \
    serial-getty@ttyS0.service systemd-firstboot.service
# A node exports volumes; it mounts none itself.
chroot "$root" systemctl --quiet disable \
    multipathd.service multipathd.socket open-iscsi.service iscsid.socket iscsid.service
ln -sf /proc/self/mounts "$root"/etc/mtab
cp -L "$root"/vmlinuz "$root"/initrd.img "$root"/..
