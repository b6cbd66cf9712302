"""How many operators the centre needs, and what moving work from outbound to inbound changes."""
