"""The demo's people, who are the tests' people too. Everybody's password is their name."""

LOGINS = {
    "admin": "administrator",
    "alice": "member of alpha",
    "bob": "reader of alpha",
    "charlie": "member of beta",
}
MEMBERSHIPS = (("alice", "alpha", "member"), ("bob", "alpha", "reader"), ("charlie", "beta", "member"))
