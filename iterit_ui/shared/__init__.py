"""What several screens use: which pools and models are here, launching a run, marking samples, strategies in words.

No screen imports another screen; what one would borrow lies here.
"""
