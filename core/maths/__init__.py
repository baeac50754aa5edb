"""What the maths pages compute: short functions to be read, each tested against torch's own."""
