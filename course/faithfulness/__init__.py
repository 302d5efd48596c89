"""Does an explanation matter? Take out what it names, change what it blames, compare it with what is known."""
