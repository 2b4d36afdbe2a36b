"""What the pullback of each rule costs beside its primal: a call of each, and the reasons of those that cost more."""
