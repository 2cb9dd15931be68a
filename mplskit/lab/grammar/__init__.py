"""The grammar of topologies/NAME.yaml."""
