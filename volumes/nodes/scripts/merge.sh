# Wait until LVM has merged a snapshot into its origin, which it does in the background once the origin is active.
# Arguments: vg/origin, bytes that were to be merged.
origin=$1 size=$2
phase merge 0 "$size" 1
printf '+ lvs -o lv_attr,snap_percent %s\n' "$origin"
while :; do
  state=$(lvs --noheadings --separator ' ' -o lv_attr,snap_percent "$origin" 2>&1) || fail "$state"
  read -r attr percent _ <<<"$state"
  case $attr in
    O*) ;; # merging
    *) break ;;
  esac
  percent=${percent%%.*}
  printf '%s bytes copied\n' $((size - size * ${percent:-0} / 100)) >"$progress"
  sleep 1
done
printf '%s bytes copied\n' "$size" >"$progress"
last_words "$progress"
