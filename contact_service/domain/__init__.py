"""The words and rules of the service: pure, without I/O and without a clock of its own."""
