# Fill a block device with zeroes and read it back.
# Arguments: device, its size, where to begin, blkdiscard's step, bytes between two flushes, method, pieces to read back...
# A piece is offset:length. Two are read at a time, each past the page cache.
device=$1 size=$2 offset=$3 step=$4 stride=$5 method=$6
shift 6
pieces=("$@")
second=/run/hearth/$name.second

# Zero blocks are skipped over by seeking, which /dev/full allows; the first other byte is written, which it refuses.
# So dd ends with 0 exactly when everything it read was zero.
reader() {
  words=(dd if="$device" of=/dev/full bs=4M "skip=${1%:*}" "count=${1#*:}" iflag=direct,skip_bytes,count_bytes
    conv=sparse,nocreat)
}

# Read two pieces at the same time; the log has first one, then the other.
look() {
  local one=$1 two=$2 other bad=0 words
  if [ -n "$two" ]; then
    reader "$two"
    "${words[@]}" >"$second" 2>&1 &
    other=$!
  fi
  reader "$one"
  run_reporting "${words[@]}" status=progress || bad=1
  if [ -n "$two" ]; then
    wait "$other" || bad=1
    reader "$two"
    printf '@second\n+ %s\n' "${words[*]}"
    last_words "$second"
  fi
  return $bad
}

# Proves that this dd does notice: it must not take a single "x" for zeroes.
detector_works() { ! dd of=/dev/full conv=sparse,nocreat status=none <<<x 2>/dev/null; }

zero_by_kernel() {
  local part=(--offset "$1" --length "$2")
  [ "$3" = last ] && part=(--offset "$1") # to the very end, whatever size the caller believes in
  run_reporting stdbuf -oL blkdiscard --zeroout --verbose --step "$step" "${part[@]}" "$device" && return 0
  case $(<"$progress") in
    *"not supported"* | *"Inappropriate ioctl"* | *"unrecognized option"* | *"invalid option"* | *"No such file"*) return 95 ;;
  esac
  return 1
}

# blkdiscard opens the device exclusively and so refuses one that is mounted or held; dd cannot.
refuse_if_held() {
  local kernel number mounted file
  kernel=$(readlink -f -- "$device") kernel=${kernel##*/}
  read -r number <"/sys/class/block/$kernel/dev"
  for file in "/sys/class/block/$kernel"/holders/*; do
    [ -e "$file" ] && fail "$device: Device or resource busy: ${file##*/} is built on it"
  done
  while read -r _ _ mounted _ file _; do
    [ "$mounted" = "$number" ] && fail "$device: Device or resource busy: it is mounted on $file"
  done </proc/self/mountinfo
}

zero_by_dd() {
  refuse_if_held
  run_reporting dd if=/dev/zero of="$device" bs=1M count="$2" iflag=fullblock,count_bytes seek="$1" \
    oflag=direct,seek_bytes conv=nocreat,notrunc,fsync status=progress
}

zero() {
  local code
  if [ "$method" != dd ]; then
    phase zero "$1" "$2" 1 blkdiscard
    zero_by_kernel "$@"
    code=$?
    [ $code = 0 ] && return
    [ $code = 95 ] && [ "$method" = auto ] || fail "blkdiscard --zeroout did not work"
    method=dd
  fi
  phase zero "$1" "$2" 1 dd
  zero_by_dd "$@" || fail "dd did not work"
}

printf '@wipe %s %s %s\n' "$size" "$offset" "$device"
[ -b "$device" ] || fail "$device is not a block device"
detector_works &
detector=$!
while [ "$offset" -lt "$size" ]; do
  length=$((size - offset))
  if [ "$length" -gt "$stride" ]; then
    zero "$offset" "$stride" more
    run sync "$device" || fail "the device could not be flushed"
    offset=$((offset + stride))
  else
    zero "$offset" "$length" last
    offset=$size
  fi
done
# What the disk still holds in its cache goes out while the reading has begun.
printf '+ sync %s\n' "$device"
sync "$device" &
flush=$!

wait "$detector" || fail "this dd cannot tell zeroes from data"
total=0 seen=0
for piece in "${pieces[@]}"; do total=$((total + ${piece#*:})); done
for ((i = 0; i < ${#pieces[@]}; i += 2)); do
  one=${pieces[i]} two=${pieces[i + 1]-}
  readers=1 both=${one#*:}
  [ -n "$two" ] && readers=2 both=$((both + ${two#*:}))
  phase verify "$seen" "$both" $readers "$total" "$one" $two
  look "$one" "$two" || {
    printf '@verdict bad\n'
    exit 4
  }
  seen=$((seen + both))
done
wait "$flush" || fail "the device could not be flushed"
phase verify "$total" 0 1 "$total"
printf '@verdict zero\n'
