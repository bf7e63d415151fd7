# Copy a block device onto another, every byte, and prove it: a digest of what was read against one of what reads back.
# Arguments: source, target, bytes to copy, block size, "sparse," to leave runs of zeroes out (fresh thin targets only).
source=$1 target=$2 size=$3 block=$4 sparse=${5-}

for device in "$source" "$target"; do
  [ -b "$device" ] || fail "$device is not a block device"
done
printf '@copy %s %s %s\n' "$size" "$source" "$target"

# Read once, written and digested at the same time.
phase copy 0 "$size" 1
sum=/run/hearth/$name.second
printf '+ dd if=%s bs=%s count=%s iflag=direct,fullblock,count_bytes | tee >(md5sum) | dd of=%s bs=%s oflag=direct iflag=fullblock conv=%snocreat,notrunc,fsync\n' \
  "$source" "$block" "$size" "$target" "$block" "$sparse"
set -o pipefail
mkfifo -m 600 "$sum.pipe" || fail "no pipe could be made"
md5sum <"$sum.pipe" >"$sum" &
digester=$!
dd if="$source" bs="$block" count="$size" iflag=direct,fullblock,count_bytes status=none |
  tee "$sum.pipe" |
  dd of="$target" bs="$block" iflag=fullblock oflag=direct conv="${sparse}nocreat,notrunc,fsync" status=progress 2>"$progress"
code=$?
wait "$digester" || code=1
rm -f "$sum.pipe"
last_words "$progress"
[ $code = 0 ] || fail "the copy broke off"
read -r read_digest _ <"$sum"
printf '@read %s\n' "$read_digest"

phase verify 0 "$size" 1
printf '+ dd if=%s bs=%s count=%s iflag=direct,fullblock,count_bytes | md5sum\n' "$target" "$block" "$size"
written_digest=$(dd if="$target" bs="$block" count="$size" iflag=direct,fullblock,count_bytes status=progress 2>"$progress" | md5sum)
code=$?
last_words "$progress"
[ $code = 0 ] || fail "what was written cannot be read back"
written_digest=${written_digest%% *}
printf '@written %s\n' "$written_digest"
[ "$read_digest" = "$written_digest" ] || {
  printf '@verdict different\n'
  exit 4
}
printf '@verdict same\n'
