"""Files in: claims, payments, restrictions, call records."""
