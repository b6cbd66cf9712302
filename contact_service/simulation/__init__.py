"""A simulated carrier, simulated residents and a simulated telephone centre."""
