"""Messages and the ways they travel: what is said (`render`), by which channel, through which gateway.

Nothing here decides whether or when to send; that is `watchword.messages`.
"""
