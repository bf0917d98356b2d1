"""Files of payments: read line by line, checked, approved by a second person, and posted, each line once.

It moves no money but by core.ledger.posting, and keeps no file: what it read of one is in bulk_lines.
"""
