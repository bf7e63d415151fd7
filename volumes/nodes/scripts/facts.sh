# What a node is, what time it has, and which of its device-mapper devices are held by which devices.
shopt -s nullglob
read -r boot </proc/sys/kernel/random/boot_id
read -r kernel </proc/sys/kernel/osrelease
read -r uptime _ </proc/uptime
os=
while IFS='=' read -r key value; do [ "$key" = PRETTY_NAME ] && os=${value//\"/}; done 2>/dev/null </etc/os-release
printf 'boot %s\nkernel %s\nuptime %s\nos %s\nepoch %s\n' "$boot" "$kernel" "$uptime" "$os" "$EPOCHREALTIME"
for held in /sys/block/dm-*/holders/*; do
  device=${held%/holders/*} name=${held##*/}
  [ -r "$held/dm/name" ] && read -r name <"$held/dm/name"
  read -r number <"$device/dev"
  printf 'holder %s %s\n' "$number" "$name"
done
exit 0
