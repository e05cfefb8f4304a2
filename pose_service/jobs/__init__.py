"""Clips that outlive a request: records, queue, worker."""
