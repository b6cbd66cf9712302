"""How long what is kept: by class, after which counts remain and people do not."""
