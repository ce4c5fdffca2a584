"""What the figures share: samples and verdicts, sandboxes to measure, report and plots."""
