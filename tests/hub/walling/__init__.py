"""A walk along the walls: every command at both doors, with ids of somebody else in every field that takes one.

What is right is told by a second installation that is the same but for the others: there, their ids do not exist.
It never knows a command by name where the served documents can tell it.
"""
