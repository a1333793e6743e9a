"""The dress rehearsal of the full tier: files in every official layout, filled with noise at real size, on a disk.

What reads the real files reads these, through the same commands, so that everything but the pictures' content is known
to work before gigabytes are fetched. Nothing outside this package knows that a rehearsal is going on.
"""
