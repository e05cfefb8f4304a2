"""Opening files of other people: arrays come out, nothing that a file says is ever run."""
