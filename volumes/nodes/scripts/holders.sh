# What keeps a logical volume open. Argument: its path.
shopt -s nullglob
device=$(readlink -f -- "$1")
[ -b "$device" ] || exit 0
kernel=${device##*/}
read -r number <"/sys/block/$kernel/dev"
grep -hsE "^[0-9]+ [0-9]+ $number " /proc/[0-9]*/mountinfo | while read -r _ _ _ _ where _; do printf 'mount %s\n' "$where"; done
for held in "/sys/block/$kernel"/holders/*; do
  name=${held##*/}
  [ -r "$held/dm/name" ] && read -r name <"$held/dm/name"
  printf 'holder %s\n' "$name"
done
for backing in /sys/block/loop*/loop/backing_file; do
  read -r file <"$backing"
  loop=${backing%/loop/backing_file}
  [ "$(readlink -f -- "$file")" = "$device" ] && printf 'holder %s\n' "${loop##*/}"
done
while read -r file _; do [ "$(readlink -f -- "$file")" = "$device" ] && printf 'swap\n'; done </proc/swaps
for export in /sys/kernel/config/target/core/*/*/udev_path; do
  read -r file <"$export"
  [ "$(readlink -f -- "$file")" = "$device" ] && export=${export%/udev_path} && printf 'export %s\n' "${export##*/}"
done
find /proc/[0-9]*/fd -lname "$device" 2>/dev/null | while IFS=/ read -r _ _ pid _; do
  read -r comm <"/proc/$pid/comm" && printf 'process %s %s\n' "$pid" "$comm"
done
exit 0
