"""The bundled networks: their architecture, training recipe, weights and model cards."""
