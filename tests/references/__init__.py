"""What no peer has, in numpy and float64, written from the equations of the papers and from nothing of ours."""
