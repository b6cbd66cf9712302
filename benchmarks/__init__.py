"""How fast the service is, as ratios against rivals and limits measured in the same run."""
