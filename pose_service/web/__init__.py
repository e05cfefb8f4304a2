"""The only place that knows Flask: one blueprint per subject."""
