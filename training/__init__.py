"""Make checkpoints and measure them."""
