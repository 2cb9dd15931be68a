"""YAML files of others: read with line numbers, bounded, into models; what does not fit is told by file and line."""
