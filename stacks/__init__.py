"""How the constructs are joined to stacks, by lifetime, and the settings of the environments that choose them."""
