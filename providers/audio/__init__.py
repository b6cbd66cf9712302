"""Sound for telephones: G.711, prompts from files, Japanese speech from text. No network."""
