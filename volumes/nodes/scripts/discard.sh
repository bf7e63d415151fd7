# Give the blocks of a thin volume back to its pool; what was there reads as zeroes from then on.
# Arguments: device, its size, blkdiscard's step.
[ -b "$1" ] || fail "$1 is not a block device"
phase discard 0 "$2" 1 blkdiscard
run_reporting stdbuf -oL blkdiscard --verbose --step "$3" "$1" || fail "blkdiscard did not work"
