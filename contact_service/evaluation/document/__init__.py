"""What a report consists of, and how it is written as HTML, PDF and Excel."""
