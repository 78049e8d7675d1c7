"""What an ejected file needs and Flax lacks: ordinary functions and modules, whose sources are copied into the file."""
