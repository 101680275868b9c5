"""Why did the network say so? One method a file, one signature for all, and numbers that judge the maps."""
