"""pyinfra carries the payload in the place of our own sessions."""
