"""What a denoiser is worth: metrics, filters, cost."""
