"""Auto-calls over a SIP trunk: an adapter, and the media process it hands calls to."""
