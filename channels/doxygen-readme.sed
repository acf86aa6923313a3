# Links that lead out of this folder lead nowhere in the reference: only their text is left.
s@\[([^]]*)\]\(\.\./[^)]*\)@\1@g
s@\[([^]]*)\]\(examples/[^)]*\)@\1@g
