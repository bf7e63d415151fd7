# What of Hearth's needs this machine has. Arguments: the programs that must be there.
printf 'euid %s\nbash %s\n' "$EUID" "$BASH_VERSION"
for program; do type -P "$program" >/dev/null || printf 'missing %s\n' "$program"; done
type -P systemd-run >/dev/null && systemd-run --version
type -P blkdiscard >/dev/null && blkdiscard --version
[ -S /run/systemd/private ] || printf 'no systemd\n'
exit 0
