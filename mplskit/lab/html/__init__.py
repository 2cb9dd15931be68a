"""The report of a lab as one self-contained page."""
