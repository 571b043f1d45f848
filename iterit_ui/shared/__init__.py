"""What several screens use: the visitor's session, the address, words and colours, pools and models at hand, launching.

No screen imports another screen; what one would borrow lies here, or in `samples` where it is about samples.
"""
