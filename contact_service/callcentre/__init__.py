"""The operators' list, what operators concluded, and the call log."""
