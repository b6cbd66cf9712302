"""The main job on sample data: files in, a trial run by real workers, a report out."""
