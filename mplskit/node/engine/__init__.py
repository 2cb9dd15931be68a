"""Other carriers of the payload than our own sessions."""
