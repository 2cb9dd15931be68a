"""pyinfra's settings."""

CONNECT_TIMEOUT = 60  # seconds in which a node that is busy with the others has to answer
