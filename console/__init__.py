"""The web page for operators and reviewers."""
