"""For which sizes of its input a network is valid: found from the shape rules of its nodes, not by trying sizes."""
