"""What blocks expand to."""
