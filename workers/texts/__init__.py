"""What people read of what happened: on a phone's screen and in a mail, in Portuguese and English. It sends nothing."""
