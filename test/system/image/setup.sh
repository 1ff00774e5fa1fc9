#!/usr/bin/env bash
# A small Debian system to install into, kept between runs as an archive. It stands in for what dnf gives the real image.
set -euo pipefail
packages=systemd,procps,iproute2,curl,logrotate,nftables,libstdc++6,clamav-daemon,clamav-freshclam
stamp=$(md5sum < "${BASH_SOURCE[0]}" | cut -c1-8)
archive=$CDK_FTPS_CACHE/image-root-$stamp.tar
[ -e "$archive" ] && exit 0
root=$(mktemp -d)
trap 'umount "$root/proc" 2>/dev/null || true; rm -rf "$root"' EXIT
debootstrap --variant=minbase bookworm "$root" > "$root.log" 2>&1 || { tail -20 "$root.log"; exit 1; }
printf '#!/bin/sh\nexit 101\n' > "$root/usr/sbin/policy-rc.d" && chmod 755 "$root/usr/sbin/policy-rc.d" # nothing is started
mount -t proc proc "$root/proc"
DEBIAN_FRONTEND=noninteractive chroot "$root" apt-get -qq -o Dpkg::Use-Pty=0 install -y --no-install-recommends ${packages//,/ } > "$root.log" 2>&1 || { tail -20 "$root.log"; exit 1; }
chroot "$root" apt-get clean
umount "$root/proc"
rm -rf "$CDK_FTPS_CACHE"/image-root-*.tar "$root.log"
tar -C "$root" -cf "$archive.part" . && mv "$archive.part" "$archive"
