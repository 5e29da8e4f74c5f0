"""Makes internal/embed/model.bin: a static sentence model fitted to a transformer."""
