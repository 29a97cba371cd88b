"""What happens to one chat between whoever asks and the provider that answers. Begin with pipeline.py."""
