# Makes the plain comments of a header those that Doxygen reads: `//` before a declaration, or behind one. Nothing in
# them is markup; what is indented by three spaces is code. The text at the head of a file is the file's.
/^ *\/\/ (---|NOLINT)/b
/^ *\/\/   /{
s@^( *)//@\1///   @
b
}
/^ *\/\//{
s/[\\@<>#]/\\&/g
s@^( *)//@\1///@
1s@^///@/// \\file\n///@
b
}
/NOLINT/b
s@^([^"/]*[;,])( +)// (.*)$@\1\2///< \3@
