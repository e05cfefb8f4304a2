"""Whether a picture will do for an avatar; each refusal says what to change."""
