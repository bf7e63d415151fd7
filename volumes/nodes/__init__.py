"""Everything that talks to a storage node, over OpenSSH and with nothing installed there. Standard library only."""
