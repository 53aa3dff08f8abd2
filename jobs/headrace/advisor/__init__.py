"""Which road a data set wants: seconds and money of each, why the winner wins, and what would change the answer."""
