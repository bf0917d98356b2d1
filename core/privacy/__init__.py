"""What is known of people, and what the law gives them against whoever knows it (Lei 13.709/2018, the LGPD).

Everything here goes by one register of all columns of both databases (register/): what is shown to a person, what an
erasure takes, what an incident has hit, what the record of processing says. It never decides what the law leaves to
the institution, and it keeps no copy of anybody's data but an export that the person asked for, sealed under their key.
"""
