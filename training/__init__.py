"""Make theme checkpoints and measure them."""
