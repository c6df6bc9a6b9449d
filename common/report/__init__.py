"""The report: what it says (`sections`), and how it is written as one HTML page and its Markdown twin (`document`)."""
