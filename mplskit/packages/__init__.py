"""Debian packages that we made: what they are, the records that vouch for them, and what building them wants."""
