# Digest a block device, all of it.
# Arguments: device, bytes, and optionally the digest that it has to have.
device=$1 size=$2 wanted=${3-}
[ -b "$device" ] || fail "$device is not a block device"
phase digest 0 "$size" 1
printf '+ dd if=%s bs=4M count=%s iflag=direct,fullblock,count_bytes | md5sum\n' "$device" "$size"
set -o pipefail
found=$(dd if="$device" bs=4M count="$size" iflag=direct,fullblock,count_bytes status=progress 2>"$progress" | md5sum)
code=$?
last_words "$progress"
[ $code = 0 ] || fail "$device could not be read"
found=${found%% *}
printf '@digest %s\n' "$found"
[ -z "$wanted" ] || [ "$found" = "$wanted" ] || {
  printf '@verdict different\n'
  exit 4
}
