"""What a coach looks at: annotated clips, curves, a page on paper, tables."""
