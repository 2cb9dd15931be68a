"""What is known of Debian: archives, lists, versions, packages and their files, and which kernel package is meant."""
