"""The machine of a lab: a small Debian disk that boots with any kernel package in seconds."""
