"""The HTML book around the executed pages: scoreboard, lists, pages with other parameters, files to take away."""
