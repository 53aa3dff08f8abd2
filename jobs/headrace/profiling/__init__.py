"""Taking the profile of a data set: listing all of it, in parallel, and counting while it is listed."""
