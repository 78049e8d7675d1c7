"""Pictures of networks beside each other: how counts grow with width, depth and resolution, and what accuracy they buy."""
