#!/usr/bin/env bash
# A small Debian system to install into, and a kernel that boots it as a program (user-mode Linux): both kept between runs under the hash of
# what they are made from. The system stands in for what dnf gives the real image; systemd 252 and Linux 6.1 are what Amazon Linux 2023 has.
# usage: setup.sh [root]    root: the system alone
set -euo pipefail
here=$(dirname "${BASH_SOURCE[0]}")
cache=$CDK_FTPS_CACHE

packages=systemd,systemd-sysv,dbus,udev,procps,iproute2,curl,logrotate,nftables,libstdc++6,clamav-daemon,clamav-freshclam,rsyslog,auditd,chrony,cron,python3,openssl
archive=$cache/image-root-$(md5sum <<< "$packages" | cut -c1-8).tar
if [ ! -e "$archive" ]; then
  rm -f "$cache"/image-root-*.tar
  mmdebstrap --quiet --variant=minbase --include="$packages" --aptopt='Acquire::Retries "5"' bookworm "$archive.part.tar" > "$cache/image-root.log" 2>&1 || { tail -20 "$cache/image-root.log"; exit 1; }
  mv "$archive.part.tar" "$archive"
fi

[ "${1:-}" = root ] && exit 0

# Debian's own user-mode-linux leaves out nftables' inet family, which the firewall is made of.
source=/usr/src/linux-source-6.1.tar.xz
kernel=$cache/image-kernel-$(cat "$here/machine/kernel.config" <(dpkg-query -W linux-source-6.1) | md5sum | cut -c1-8)
if [ ! -e "$kernel" ]; then
  rm -f "$cache"/image-kernel-*
  build=$(mktemp -d "${TMPDIR:-/var/tmp}/ftps-kernel-XXXXXX")
  trap 'rm -rf "$build"' EXIT
  tar -C "$build" --strip-components=1 -xJf "$source"
  make=(make -s -C "$build" ARCH=um -j"$(nproc)")
  {
    KCONFIG_ALLCONFIG=$(realpath "$here/machine/kernel.config") "${make[@]}" allnoconfig
    "${make[@]}" linux
  } > "$cache/image-kernel.log" 2>&1 || { tail -20 "$cache/image-kernel.log"; exit 1; }
  while read -r option; do grep -qx "$option" "$build/.config" || { echo "the kernel was built without $option"; exit 1; }; done < <(grep '=' "$here/machine/kernel.config")
  strip -o "$kernel.part" "$build/linux" && chmod 755 "$kernel.part" && mv "$kernel.part" "$kernel"
fi
